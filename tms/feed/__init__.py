"""The stream of changes inside TMS: a process that commits publishes what changed, and each process receives it once.

All processes are in one group of the channel layer, `publisher.GROUP`; boards have no groups of their own.
"""
