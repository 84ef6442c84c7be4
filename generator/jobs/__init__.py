"""Records of the tasks for Blender and of their results, which both sides read; none of it needs Blender."""
