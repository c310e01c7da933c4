"""The synthetic data set: nine files in the shape of the real Olist set, of any size, from a seed.

What belongs here: drawing and writing such a set (`generate`), with everything it needs. What does not: reading,
checking or repairing data, real or synthetic.

    shapes      measured shares and distributions of the real set
    cities      Brazilian cities with their postal prefixes and coordinates
    categories  product categories with their translation
    draw        random draws in integer arithmetic, and identifiers
    timeline    the days on which orders are placed; seconds and days
    geography   places of customers and sellers; the geolocation file
    people      the persons behind orders
    catalogue   products and sellers
    orders      orders and customers
    baskets     items
    payments    payments
    reviews     reviews, with the words of `phrases`
    writer      columns, quoting and line ends of the files
    generator   the steps of drawing a set
"""

from olist_pipeline.synthetic.generator import generate
from olist_pipeline.synthetic.writer import finish_killed

__all__ = ["finish_killed", "generate"]
