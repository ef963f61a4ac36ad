"""What screens draw with: values in, words, frames and component data out. Pure; no session, no store."""
