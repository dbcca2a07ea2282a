"""Tasks of `inv`: they parse arguments and call the other packages. One module or folder per collection."""
