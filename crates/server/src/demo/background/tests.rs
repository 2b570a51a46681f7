use std::collections::BTreeMap;

use super::{super::registers::synthetic, *};

/// One of everybody, all of the same code: what they do is looked at, not who does it.
fn everybody() -> Trade {
    let code = || vec![synthetic("91", "610102", 1).unwrap()];
    let others = OTHERS.map(|(domain, _)| (domain, code()));
    Trade {
        farms: code(),
        plants: code(),
        carriers: code(),
        wholesalers: code(),
        shops: code(),
        works: code(),
        users: code(),
        laboratories: code(),
        tankers: code(),
        makers: BTreeMap::from(others),
        crops: vec![String::from("C")],
        metals: vec![["A", "B", "C"].map(String::from)],
        others: OTHERS.map(|(domain, _)| (domain, ["R", "M"].map(String::from))).into(),
    }
}

/// What stands in the way of a demonstration is found here, not by whoever starts one.
#[test]
fn no_vehicle_of_the_largest_province_is_on_two_trips_at_a_time() {
    let (trade, mut seeded) = (everybody(), Seeded(38_157));
    // Ten million events are five thousand chains a day.
    let (first, a_day) = ("2026-01-01T06:00:00+08:00".parse::<Timestamp>().unwrap(), 5_000);
    let mut trips: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for number in 0..4 * a_day {
        let day = i64::try_from(number / a_day).unwrap();
        let start = first + SignedDuration::from_hours(24 * day);
        let events = chain(&trade, &mut seeded, (number, start)).unwrap();
        for event in events.iter().filter(|event| event.kind == "waybill") {
            let text = |name: &str| String::from(event.attributes[name].as_str().unwrap());
            let trip = (text("depart_at"), text("arrive_at"));
            trips.entry(text("vehicle_no")).or_default().push(trip);
        }
    }
    assert_eq!(trips.values().map(Vec::len).sum::<usize>(), 4 * a_day / TURN);
    for (vehicle, mut trips) in trips {
        trips.sort();
        assert!(trips.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{vehicle}: {trips:?}");
    }
}
