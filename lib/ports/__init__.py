"""
Every outside thing, a page a subject.

A port states a contract; adapters inherit and implement the port, fakes in tests implement it too, one contract suite
runs on all of them. Async ports may be called from many tasks at once. Errors are the four reactions of
`lib.domain.errors`; any other exception out of an adapter is a bug. Money is Decimal, time is epoch ms.
"""
