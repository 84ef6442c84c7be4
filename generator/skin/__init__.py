"""Fields over the skin's vertices: colour, and the relief that the shader makes of pores, oil and lines."""
