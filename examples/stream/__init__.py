"""A consumer that follows the event store, and keeps what it needs of it: each event once, whatever ends it."""
