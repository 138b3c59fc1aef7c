"""What is released: the template, its parameters, the built code, and the digest over all of them. No AWS here."""
