"""nginx in front of the nodes of one host: templates (`*.conf`), and the code that fills them in."""
