"""The fulfillment steps: what becomes of deliveries, points and places."""

from tests.pipeline.contexts.worlds import SMALL, flagged, quarantined_by_rule, rejected, validate_small


def delivery(validated, number=0):
    return validated.deliveries.accepted("deliveries").to_dicts()[number]


def test_a_delivery_of_a_rejected_order_is_rejected_with_it(tmp_path):
    validated = validate_small(tmp_path)
    assert rejected(validated.deliveries, "deliveries") == {3: "PARENT_REJECTED"}
    row = validated.deliveries.quarantined().to_dicts()[0]
    assert (row["context"], row["aggregate_type"], row["source_file"]) == (
        "fulfillment",
        "delivery",
        "olist_orders_dataset.csv",
    )


def test_a_delivery_is_measured_against_its_promise_and_its_way(tmp_path):
    validated = validate_small(tmp_path)
    early, late = delivery(validated), delivery(validated, 1)
    assert (early["delivery_performance"], early["days_vs_estimate"], early["same_state"]) == ("ON_TIME", -8, True)
    assert (late["delivery_performance"], late["days_vs_estimate"], late["is_late"]) == ("SLIGHTLY_LATE", 5, True)
    assert early["distance_km"] == 0.0
    assert 350 < late["distance_km"] < 370


def test_the_promised_day_itself_is_on_time(tmp_path):
    orders = [SMALL["orders"][0].replace("2017-10-10 21", "2017-10-18 23"), *SMALL["orders"][1:]]
    first = delivery(validate_small(tmp_path, orders=orders))
    assert (first["delivery_performance"], first["is_late"]) == ("ON_TIME", False)


def test_the_distance_to_nowhere_is_unknown(tmp_path):
    validated = validate_small(tmp_path, geolocation=SMALL["geolocation"][:1])
    assert (delivery(validated)["distance_km"], delivery(validated, 1)["distance_km"]) == (0.0, None)
    assert delivery(validate_small(tmp_path / "b", sellers=["s9,01001,sao paulo,SP"]))["same_state"] is None


def test_an_impossible_order_of_events_is_flagged(tmp_path):
    first = SMALL["orders"][0].replace("2017-10-04 10", "2017-10-01 10")
    second = SMALL["orders"][1].replace("2018-01-20 21:00:00", "")
    validated = validate_small(tmp_path, orders=[first, second])
    assert delivery(validated)["flags"] == ["CARRIER_BEFORE_APPROVAL", "CARRIER_BEFORE_PURCHASE"]
    assert delivery(validated, 1)["flags"] == ["DELIVERED_WITHOUT_DATE"]


def test_a_point_outside_brazil_is_no_part_of_its_place(tmp_path):
    points = ["01001,-23.50,-46.60,sao paulo,SP", "01001,41.0,-8.6,porto,SP", "01001,-23.60,-46.70,SAO PAULO,SP"]
    validated = validate_small(tmp_path, geolocation=points)
    assert rejected(validated.geography, "geolocation") == {2: "OUTSIDE_BRAZIL"}
    [place] = validated.geography.accepted("zip_prefixes").to_dicts()
    assert (place["latitude"], place["longitude"], place["points"]) == (-23.55, -46.65, 2)
    assert place["city"] == "SAO PAULO", "both cities are as frequent: the smaller text"


def test_the_most_frequent_name_wins(tmp_path):
    points = [f"01001,-23.5,-46.6,{city},SP" for city in ("abc", "sao paulo", "sao paulo")]
    [place] = validate_small(tmp_path, geolocation=points).geography.accepted("zip_prefixes").to_dicts()
    assert (place["city"], place["region"]) == ("sao paulo", "Southeast")


def test_events_tell_whether_a_delivery_was_late(tmp_path):
    events = validate_small(tmp_path).deliveries.events
    assert events["event_type"].to_list() == ["DeliveryDispatched"] * 2 + ["DeliveryCompleted"] * 2
    assert ['"was_late": true' in payload for payload in events["payload"].to_list()] == [False, False, False, True]


def test_the_real_set_is_split_as_known(real_set):
    assert real_set.geography.accepted("geolocation").height == 1_000_132
    assert real_set.geography.accepted("zip_prefixes").height == 19_011
    assert quarantined_by_rule(real_set.geography) == {("geolocation", "OUTSIDE_BRAZIL"): 31}
    assert real_set.deliveries.accepted("deliveries").height == 98_666
    assert quarantined_by_rule(real_set.deliveries) == {("deliveries", "PARENT_REJECTED"): 775}
    assert flagged(real_set.deliveries, "deliveries") == {
        "CARRIER_BEFORE_APPROVAL": 1_359,
        "CARRIER_BEFORE_PURCHASE": 166,
        "DELIVERED_BEFORE_CARRIER": 23,
        "DELIVERED_WITHOUT_DATE": 8,
    }
