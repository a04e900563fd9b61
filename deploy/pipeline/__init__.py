"""What the pipeline does with AWS, step by step, so that a person may do the same by hand, and the tests do it too."""
