"""Lightning callbacks: progress, checkpoints of the last epoch and to resume from, pictures, prediction files."""
