"""The sales context: orders with their items and payments.

What belongs here: what it means to sell, from the purchase to the money. What does not: who the customer
is over many orders (customer), what a product is (marketplace), how long a parcel takes (fulfillment).
"""
