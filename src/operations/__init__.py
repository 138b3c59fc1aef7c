"""Functions of the delivery machine; manuel_release ships with them, except its rehearsals."""
