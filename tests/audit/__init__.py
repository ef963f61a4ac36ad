"""What we take from others and what we give away: known holes, licences, a bill of materials, secrets in the tree."""
