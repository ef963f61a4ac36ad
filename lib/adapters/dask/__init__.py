"""
Work that is spread over many processes, by Dask: on this machine by default, on others by an address.
"""
