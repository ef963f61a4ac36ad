"""
Every outside thing, a page a subject.

A port states a contract; adapters inherit and implement it, fakes in tests implement it, one contract suite runs on
all of them. Async ports may be called from many tasks at once. Errors are the four reactions of `lib.domain.errors`;
anything else escaping an adapter is a bug. Money is Decimal, time is epoch ms.
"""
