"""What is made once for each head before training: fewer vertices, features, operators."""
