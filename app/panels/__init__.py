"""Parts of pages that act or read: guard, read, draw. What they draw with lives in app.ui."""
