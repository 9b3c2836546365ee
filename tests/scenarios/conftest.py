import signal

# A terminated run ends like an interrupted one, so that fixtures stop their servers.
signal.signal(signal.SIGTERM, signal.default_int_handler)
