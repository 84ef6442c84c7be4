"""The cameras of a head: rigs and their views, and the sensor that turns light into 8-bit images."""
