"""The acceptance cards asked by machine: is this account, at this venue, what the order protocol rests on?"""
