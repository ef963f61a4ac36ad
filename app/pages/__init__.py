"""One screen a file. Every page begins with `require_user()`; sign_in is the only one for strangers."""
