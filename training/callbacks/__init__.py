"""What is called while training goes on: logs, progress, pictures, predictions, stopping."""
