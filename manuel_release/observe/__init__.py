"""AWS in, one frozen model out; read calls only, no decisions, no screen."""
