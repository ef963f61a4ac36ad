"""`make evidence-proof`: figures of `lib.evidence` on worlds whose truth is known."""
