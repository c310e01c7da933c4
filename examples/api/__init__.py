"""A service that owns orders: place, pay, approve, ship, deliver, cancel, under the rules of `olist_domain`."""
