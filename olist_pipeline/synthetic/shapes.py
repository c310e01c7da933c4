"""The measured shapes of the real set: shares, frequencies and quantiles.

What belongs here: figures measured on the nine files of the Brazilian E-Commerce Public Dataset by Olist (Kaggle
`olistbr/brazilian-ecommerce`, 99,441 orders of 2016-09-04 to 2018-10-17), each an aggregate over many rows; no
row of it is kept. What does not: how they are drawn (`draw`), places (`cities`), names and texts.

Names with KNOWS are not measured but fitted: the share of rows for which two values are drawn together, so that
late deliveries and the correlations of freight, price, weight and estimate come out near the real ones.

A tuple of quantiles holds the values at `draw.LEVELS`; its two ends are cut where the real set has a single
far-off value. Weights are counts of the real set, unless a comment says otherwise. Times are seconds, money is
cents.
"""

from __future__ import annotations

from typing import NamedTuple

ORDERS = 99_441
"""Orders of the real set: the base of every count below."""

STATUSES = (
    "delivered",
    "shipped",
    "canceled",
    "unavailable",
    "invoiced",
    "processing",
    "created",
    "approved",
)
DELIVERED, SHIPPED, CANCELED, UNAVAILABLE, INVOICED, PROCESSING, CREATED, APPROVED = range(8)


class Month(NamedTuple):
    """One month of sales: its first and last day with a sale, its orders, and what the carriers made of it."""

    year: int
    month: int
    first_day: int
    last_day: int
    statuses: tuple[int, int, int, int, int, int]
    """Orders by status: delivered, shipped, canceled, unavailable, invoiced, processing."""
    transit: int
    """Days in transit, as a percentage of the whole set's, less 7 % that drawing between quantiles adds."""
    promise: int
    """Days from purchase to the estimated delivery, as a percentage of the whole set's."""


MONTHS = (
    Month(2016, 9, 4, 15, (1, 1, 2, 0, 0, 0), 93, 140),
    Month(2016, 10, 2, 22, (265, 8, 24, 7, 18, 2), 56, 232),
    Month(2016, 12, 23, 23, (1, 0, 0, 0, 0, 0), 19, 110),
    Month(2017, 1, 5, 31, (750, 16, 3, 10, 12, 9), 91, 167),
    Month(2017, 2, 1, 28, (1653, 21, 17, 45, 11, 32), 94, 135),
    Month(2017, 3, 1, 31, (2546, 45, 33, 32, 3, 23), 96, 105),
    Month(2017, 4, 1, 30, (2303, 49, 18, 9, 14, 10), 113, 116),
    Month(2017, 5, 1, 31, (3546, 55, 29, 31, 16, 23), 84, 103),
    Month(2017, 6, 1, 30, (3135, 47, 16, 24, 11, 12), 88, 101),
    Month(2017, 7, 1, 31, (3872, 56, 28, 52, 7, 11), 85, 98),
    Month(2017, 8, 1, 31, (4193, 41, 27, 32, 20, 18), 81, 99),
    Month(2017, 9, 1, 30, (4150, 38, 20, 38, 17, 22), 86, 95),
    Month(2017, 10, 1, 31, (4478, 33, 26, 58, 16, 20), 84, 97),
    Month(2017, 11, 1, 30, (7289, 72, 37, 84, 35, 25), 111, 95),
    Month(2017, 12, 1, 31, (5513, 57, 11, 42, 13, 35), 116, 117),
    Month(2018, 1, 1, 31, (7069, 74, 34, 48, 15, 29), 104, 111),
    Month(2018, 2, 1, 28, (6555, 57, 73, 30, 6, 6), 134, 103),
    Month(2018, 3, 1, 31, (7003, 133, 26, 17, 23, 9), 129, 93),
    Month(2018, 4, 1, 30, (6798, 99, 15, 5, 14, 8), 86, 100),
    Month(2018, 5, 1, 31, (6749, 54, 24, 16, 24, 6), 87, 97),
    Month(2018, 6, 1, 30, (6099, 43, 18, 4, 3, 0), 67, 117),
    Month(2018, 7, 1, 31, (6159, 60, 41, 18, 13, 1), 61, 83),
    Month(2018, 8, 1, 29, (6351, 47, 84, 7, 23, 0), 52, 64),
    Month(2018, 9, 3, 29, (0, 1, 15, 0, 0, 0), 93, 65),
    Month(2018, 10, 1, 17, (0, 0, 4, 0, 0, 0), 93, 76),
)

WEEKDAYS = (16196, 15963, 15552, 14761, 14122, 10887, 11960)
"""Orders by weekday, Monday first."""

SALES_DAYS = {(2017, 11, 24): 520, (2017, 11, 25): 300, (2017, 11, 26): 215, (2017, 11, 27): 165}
"""Black Friday and the days after it: orders as a percentage of an ordinary day of that weekday and month."""

PURCHASE_HOURS = (
    2394, 1170, 510, 272, 206, 188, 502, 1231, 2967, 4785, 6177, 6578,
    5995, 6518, 6569, 6454, 6675, 6150, 5769, 5982, 6193, 6217, 5816, 4123,
)  # fmt: skip
DELIVERY_HOURS = (
    2885, 1515, 649, 260, 187, 198, 269, 396, 779, 1196, 1799, 2579,
    3651, 4561, 5646, 6741, 7901, 8775, 9640, 9484, 9157, 7627, 6143, 4438,
)  # fmt: skip

LAST_DELIVERY = (2018, 10, 17)
LAST_REVIEW = (2018, 8, 31)
LAST_ANSWER = (2018, 10, 29)


class Rarity(NamedTuple):
    """Something that a few orders have: every `period`-th order from `first` on, so that small sets have it too."""

    period: int
    first: int


# Every period is a multiple of 50 and every remainder of `first` by 50 differs: no order has two rarities.
CREATED_ORDER = Rarity(20_000, 1_201)
APPROVED_ORDER = Rarity(50_000, 2_402)
NOT_DEFINED_PAYMENT = Rarity(33_000, 1_703)
NO_PAYMENT = Rarity(100_000, 2_904)
ZERO_VOUCHER = Rarity(20_000, 805)
ZERO_INSTALLMENTS = Rarity(50_000, 4_106)
DELIVERED_UNAPPROVED = Rarity(7_000, 307)
DELIVERED_WITHOUT_DATE = Rarity(12_000, 3_608)
DELIVERED_WITHOUT_CARRIER = Rarity(50_000, 4_609)
CANCELED_AFTER_DELIVERY = Rarity(16_000, 4_210)
SHIPPING_LIMIT_2020 = Rarity(25_000, 3_011)
SHIPPED_WITHOUT_ITEMS = Rarity(100_000, 3_113)
LATE_APPROVAL = Rarity(1_650, 512)
"""Delivered before it was approved."""

# The same for products.
UNTRANSLATED_PRODUCT = Rarity(2_500, 213)
WEIGHTLESS_PRODUCT = Rarity(8_000, 311)
UNMEASURED_PRODUCT = Rarity(16_000, 407)

# People. Persons with this many orders; the ones with more than ten are counted apart.
PERSONS_BY_ORDERS = ((9, 1), (7, 3), (6, 6), (5, 8), (4, 30), (3, 203))
PERSONS_WITH_TWO = 2745
SPLIT_SHARE = (33, 100)
"""Of the persons with two orders: those who placed both at once, seconds apart."""
REPEAT_GAP_DAYS = (
    0, 0, 0, 0, 0, 0, 1, 5, 13, 26, 44, 66, 95, 140, 195, 275, 345, 425, 470, 505, 540, 590, 609,
)  # fmt: skip
"""Days between two orders of a person, without split orders."""
MOVED = (8, 100)
"""Of the orders after a person's first: those that go to another place."""

# Whether a status of its approval, carrier and items is there.
CANCELED_UNAPPROVED = (141, 625)
CANCELED_WITH_CARRIER = (75, 484)
CANCELED_WITHOUT_ITEMS = (23, 409)
UNAVAILABLE_WITHOUT_ITEMS = (603, 609)
INVOICED_WITHOUT_ITEMS = (2, 314)

APPROVAL_CARD = (
    0, 0, 0, 0, 0, 421, 501, 579, 681, 765, 858, 977, 1169, 1554, 3686, 77576, 88375,
    172577, 217928, 266901, 367668, 611381, 1200000,
)  # fmt: skip
"""Seconds from purchase to approval of what is paid by card or voucher."""
APPROVAL_BOLETO = (
    0, 0, 0, 0, 0, 1244, 20744, 34677, 48692, 58984, 72213, 104628, 119631, 134587, 154934, 242192, 308100,
    376275, 445871, 480904, 558947, 933088, 1500000,
)  # fmt: skip
HANDLING = (
    -585977, -363990, -128350, -84735, -6008, 4174, 21392, 39009, 65000, 86025, 112071, 157100, 204851,
    267913, 354554, 518236, 699667, 1137074, 1481742, 1878886, 2515681, 3534215, 5578866,
)  # fmt: skip
"""Seconds from approval to the carrier; negative where the carrier came first."""
SHIPPING_LIMIT = (
    -172800, -107271, 58199, 150112, 171616, 172800, 172800, 344923, 345600, 432000, 518111, 518400, 518400,
    518400, 604800, 777600, 1036800, 1296000, 1555200, 1814400, 2509200, 3628800, 5184000,
)  # fmt: skip
"""Seconds from approval to the seller's shipping limit."""
LIMIT_KNOWS_HANDLING = (35, 100)
CARRIER_BEFORE_PURCHASE = (15, 100)
"""Of the orders whose handling would have begun before the purchase: those for which the real set says so."""
LATE_APPROVAL_DAYS = (20, 70)

# By distance from the seller to the customer: same state, both in the south or south-east, farther.
NEAR_STATES = frozenset({"SP", "RJ", "MG", "ES", "PR", "SC", "RS"})
SAME_STATE, NEAR, FAR = range(3)
TRANSIT = (
    (-80742, 0, 31942, 54588, 58606, 67079, 79326, 90370, 110989, 176063, 253367, 313348, 404837, 496390,
    600250, 807067, 1115316, 1548053, 1918129, 2502609, 3382359, 6320995, 14788312),
    (-90709, 14770, 86400, 148551, 174648, 213288, 273389, 355313, 466014, 544291, 617200, 698420, 842292,
    1015189, 1217977, 1685903, 2209922, 3029464, 3622500, 4374312, 5514210, 8615619, 17728500),
    (0, 68200, 126818, 187842, 254822, 326363, 441883, 540512, 669633, 786633, 946584, 1105093, 1222295,
    1415393, 1743728, 2246029, 2791019, 3619312, 4221255, 5030447, 6818839, 14429621, 16780004),
)  # fmt: skip
"""Seconds from the carrier to the customer."""
PROMISE_DAYS = (
    (3, 3, 3, 3, 5, 6, 8, 10, 13, 14, 16, 18, 19, 21, 23, 26, 30, 36, 41, 51, 54, 66, 90),
    (3, 8, 9, 10, 12, 14, 17, 20, 22, 23, 24, 26, 27, 29, 31, 35, 39, 45, 52, 56, 62, 75, 90),
    (7, 10, 12, 14, 15, 17, 20, 22, 24, 26, 28, 30, 31, 34, 36, 40, 45, 51, 56, 63, 67, 88, 110),
)
"""Days from purchase to the estimated delivery."""
PROMISE_KNOWS_TRANSIT = (55, 100)
"""Orders whose estimate and transit are drawn together: the two correlate in the real set."""
FREIGHT = (
    (0, 0, 0, 424, 739, 739, 743, 778, 836, 934, 1137, 1206, 1286, 1364, 1491, 1902, 2676, 3985, 5234,
    6643, 8183, 10270, 17445),
    (0, 0, 0, 231, 872, 1248, 1410, 1452, 1510, 1568, 1655, 1767, 1831, 1963, 2295, 2992, 4510, 6740, 8777,
    10930, 14599, 19464, 37528),
    (0, 0, 0, 310, 1066, 1410, 1510, 1586, 1759, 1894, 2115, 2328, 2606, 3011, 3790, 5104, 6344, 9089,
    12091, 15056, 20650, 28460, 40968),
)  # fmt: skip
FREIGHT_KNOWS_WEIGHT = (70, 100)

# Catalogue.
PRODUCTS_PER_ORDERS = (32_951, 99_441)
SELLERS_PER_ORDERS = (3_095, 99_441)
PRICE = (
    85, 390, 599, 800, 999, 1290, 1700, 2380, 3490, 4749, 5900, 7499, 9500, 11990, 15000, 22980, 34990,
    61900, 89000, 122103, 178000, 258900, 500000,
)  # fmt: skip
PRICE_ENDINGS = ((90, 40106), (0, 32788), (99, 20473), (50, 2647), (80, 1549), (49, 1348), (89, 879), (40, 768))
"""Cents after the comma, with their items."""
PRICE_KNOWS_WEIGHT = (45, 100)
REPRICED = (15, 100)
"""Sales at another price than the product's usual one."""
EXTRA_SALES = (
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 10, 12, 20, 50, 90, 180, 290, 460, 850, 1590, 4660,
)  # fmt: skip
"""Orders of a product after its first, in tenths."""
PRODUCTS_OF_SELLER = (
    1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 8, 13, 25, 45, 77, 129, 167, 222, 322, 399,
)  # fmt: skip
PRODUCTS_WITH_TWO_SELLERS = (1225, 32951)
UNCATEGORISED_PRODUCTS = (610, 32951)
NAME_LENGTH = (
    5, 10, 14, 17, 20, 23, 29, 33, 40, 44, 48, 51, 54, 56, 58, 59, 60, 61, 63, 63, 64, 64, 76,
)  # fmt: skip
DESCRIPTION_LENGTH = (
    4, 32, 49, 66, 84, 106, 150, 207, 294, 385, 485, 595, 712, 870, 1122, 1578, 2063, 2738, 3287, 3694,
    3882, 3939, 3992,
)  # fmt: skip
PHOTOS = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 5, 6, 7, 8, 10, 12, 15, 20)
WEIGHT_G = (
    50, 50, 50, 50, 60, 100, 105, 175, 250, 351, 500, 700, 1000, 1500, 2500, 6300, 10850, 17600, 22550,
    28500, 30000, 30000, 40425,
)  # fmt: skip
LENGTH_CM = (
    7, 11, 14, 16, 16, 16, 16, 16, 17, 20, 21, 25, 30, 35, 41, 53, 65, 80, 100, 104, 105, 105, 105,
)  # fmt: skip
HEIGHT_CM = (2, 2, 2, 2, 2, 2, 3, 4, 7, 10, 11, 13, 16, 20, 25, 33, 44, 60, 69, 79, 95, 105, 105)
WIDTH_CM = (6, 9, 11, 11, 11, 11, 11, 11, 14, 15, 17, 20, 22, 27, 32, 40, 47, 58, 63, 70, 84, 100, 118)
SIZE_KNOWS_WEIGHT = (60, 100)

# Baskets.
ITEMS_OF_ORDER = (
    88863, 7516, 1322, 505, 204, 198, 22, 8, 3, 8, 4, 5, 1, 2, 2, 0, 0, 0, 0, 2, 1,
)  # fmt: skip
"""Orders with one item, two, three ..."""
MIXED_BASKETS = (3236, 9803)
"""Of the orders with several items: those with more than one product."""
SECOND_PRODUCT_OF_SAME_SELLER = (68, 100)

# Payments.
CARD, TWO_CARDS, CARD_AND_VOUCHERS, BOLETO, VOUCHERS, DEBIT, NOT_DEFINED, UNPAID = range(8)
ORDERS_BY_METHOD = (73_972, 290, 2_245, 19_784, 1_621, 1_527)
VOUCHERS_WITH_CARD = (
    1872, 212, 62, 33, 21, 15, 4, 7, 2, 5, 5, 1, 1, 1, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 1,
)  # fmt: skip
VOUCHERS_ALONE = (
    1194, 224, 86, 46, 19, 15, 13, 7, 2, 3, 3, 3, 2, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1,
)  # fmt: skip
FIRST_PAYMENT_MISSING = ((28, 73_972), (52, 1_527))
"""Orders by card and by debit card whose payments are numbered from 2."""
INSTALLMENT_STEPS = (5_000, 10_000, 20_000, 40_000)
"""Bounds of the payment values by which `INSTALLMENTS` has a row each."""
INSTALLMENTS = (
    (8458, 1922, 1685, 1275, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (9646, 3540, 3072, 1700, 1722, 1216, 677, 655, 323, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (5430, 5416, 3867, 2189, 2018, 1467, 553, 1316, 150, 2090, 23, 69, 15, 13, 20, 3, 8, 5, 0, 0, 0, 0, 0, 0),
    (1479, 1287, 1490, 1567, 1121, 833, 272, 1416, 74, 1642, 0, 37, 1, 1, 33, 1, 0, 12, 0, 6, 3, 1, 1, 6),
    (442, 248, 347, 367, 377, 404, 124, 880, 97, 1595, 0, 27, 0, 1, 21, 1, 0, 10, 0, 11, 0, 0, 0, 12),
)
"""Card payments in one instalment, two, three ... by the value of the payment."""
TOTAL_WITHOUT_ITEMS = (
    1500, 1500, 1500, 1695, 1837, 2372, 3081, 3868, 5900, 7316, 8855, 10687, 13091, 16432, 22184, 41979,
    72171, 152899, 211601, 234503, 318434, 378219, 378219,
)  # fmt: skip
"""What was paid for orders that have no items."""
OVERPAID = (264, 73_972)
"""Orders by card that were paid with interest, so more than their total."""
OVERPAYMENT = (
    2, 2, 2, 2, 2, 2, 2, 37, 218, 337, 517, 645, 867, 1131, 1654, 2685, 3469, 6101, 11189, 11901, 18281,
    18281, 18281,
)  # fmt: skip
UNDERPAID = (39, 73_972)
UNDERPAYMENT = (
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 250, 490, 1000, 1500, 2180, 5162, 5162, 5162, 5162, 5162,
)  # fmt: skip
A_CENT_OFF = (273, 73_972)

# Reviews.
NO_REVIEW = ((646, 96_478), (122, 2_963))
"""Orders without review: delivered ones, others."""
TWO_REVIEWS = (547, 98_673)
SHARED_REVIEW = (86, 100)
"""Split orders whose two halves carry one review."""
SCORES = (
    (5851, 2335, 7086, 18033, 55348),
    (577, 180, 450, 674, 1266),
    (2978, 426, 425, 280, 452),
    (644, 79, 110, 87, 123),
    (1374, 131, 108, 68, 139),
)
"""Reviews by score: in time, up to 3 days late, later, shipped only, neither delivered nor shipped."""
IN_TIME, LATE, VERY_LATE, UNDERWAY, NOT_SHIPPED = range(5)
REVIEWS = (11424, 3151, 8179, 19142, 57328)
REVIEWS_WITH_MESSAGE = (8745, 2145, 3557, 5976, 20554)
REVIEWS_WITH_TITLE = (84, 20, 87, 302, 1236)
"""By score, those with a title and no message."""
REVIEWS_WITH_BOTH = (1789, 458, 737, 1433, 5422)
REVIEW_AFTER_DELIVERY_DAYS = (
    -30, -11, -4, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 5, 9, 15, 24, 60,
)  # fmt: skip
REVIEW_AFTER_LATE_ESTIMATE_DAYS = (
    -32, -21, -16, -7, -1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 4, 5, 6, 6, 7, 7, 10, 15,
)  # fmt: skip
REVIEW_AFTER_ESTIMATE_DAYS = (
    -80, -75, -68, -52, -41, -24, -9, 2, 2, 2, 2, 2, 2, 2, 3, 4, 5, 6, 7, 7, 8, 29, 34,
)  # fmt: skip
"""Of orders that were not delivered."""
SECOND_REVIEW_DAYS = (
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 3, 4, 6, 8, 12, 16, 23, 43, 88, 88, 106, 106,
)  # fmt: skip
ANSWER = (
    7709, 10402, 13603, 18257, 32626, 39061, 53410, 68533, 82226, 91630, 126290, 144729, 217427, 254927,
    304784, 419562, 602266, 1168229, 1907299, 3452561, 8123925, 19237422, 30000000,
)  # fmt: skip
"""Seconds from a review's creation to its answer."""

# Places.
CUSTOMERS_BY_STATE = {
    "SP": 41746, "RJ": 12852, "MG": 11635, "RS": 5466, "PR": 5045, "SC": 3637, "BA": 3380, "DF": 2140, "ES": 2033,
    "GO": 2020, "PE": 1652, "CE": 1336, "PA": 975, "MT": 907, "MA": 747, "MS": 715, "PB": 536, "PI": 495, "RN": 485,
    "AL": 413, "SE": 350, "TO": 280, "RO": 253, "AM": 148, "AC": 81, "AP": 68, "RR": 46,
}  # fmt: skip
SELLERS_BY_STATE = {
    "SP": 1849, "PR": 349, "MG": 244, "SC": 190, "RJ": 171, "RS": 129, "GO": 40, "DF": 30, "ES": 23, "BA": 19,
    "CE": 13, "PE": 9, "PB": 6, "RN": 5, "MS": 5, "MT": 4, "RO": 2, "SE": 2, "PI": 1, "AC": 1, "MA": 1, "AM": 1,
    "PA": 1,
}  # fmt: skip
SALES_BY_SELLER_STATE = {"SP": 119, "RJ": 77, "MG": 99, "PR": 68, "SC": 59, "RS": 47}
"""Items a seller, as a percentage of all; the other states have 70."""
GEOLOCATIONS_PER_ORDER = 10
MOST_GEOLOCATIONS = 1_000_000
GEOLOCATIONS_PER_POINT = (154, 100)
"""Points a prefix has for each of its rows: so drawn, 26 % of the rows repeat another one."""
PREFIXES_WITHOUT_GEOLOCATION = (1, 300)
ACCENTED_CITIES = (15, 100)
"""Of the geolocation rows of a city whose name has accents: those written with them."""
MIS_CASED_CITIES = (1, 1000)
OUTSIDE_BRAZIL = Rarity(25_000, 713)
MISSPELT_SELLER_CITIES = (15, 1000)
