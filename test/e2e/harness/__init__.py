"""The stage on which the end-to-end tests play: real sockets, a real balancerd."""
