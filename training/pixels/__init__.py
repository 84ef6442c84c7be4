"""A segmenter of single images, trained on the class masks of renders: what the labeller is compared with."""
