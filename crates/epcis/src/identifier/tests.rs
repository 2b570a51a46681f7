use super::{Epc, Gs1Key, Serial, canonical_link, id_matches};

/// From the published tests of GS1's event hash generator and the Tag Data Standard's examples.
#[rustfmt::skip]
const PAIRS: [(&str, &str, usize); 22] = [
    ("urn:epc:id:sgtin:4012345.011111.98%22", "01/04012345111118/21/98%22", 7),
    ("urn:epc:id:sgtin:415056789012.0.987654", "01/04150567890128/21/987654", 12),
    ("urn:epc:id:sgtin:0614141.812345.6789%2F%26%25%22!%3F()", "01/80614141123458/21/6789%2F%26%25%22%21%3F%28%29", 7),
    ("urn:epc:class:lgtin:4012345.012345.Lot987", "01/04012345123456/10/Lot987", 7),
    ("urn:epc:id:sscc:4012345.0000000333", "00/040123450000003338", 7),
    ("urn:epc:id:sgln:4012345.00005.122", "414/4012345000054/254/122", 7),
    ("urn:epc:id:sgln:4012345.00005.0", "414/4012345000054", 7),
    ("urn:epc:id:grai:4012345.00022.334455", "8003/04012345000221334455", 7),
    ("urn:epc:id:giai:4012345.ABC345", "8004/4012345ABC345", 7),
    ("urn:epc:id:gsrn:4012345.0000006765", "8018/401234500000067657", 7),
    ("urn:epc:id:gsrnp:4012345.0000000007", "8017/401234500000000074", 7),
    ("urn:epc:id:gdti:4012345.00009.PO-4711", "253/4012345000092PO-4711", 7),
    ("urn:epc:id:gdti:987659999999..9", "253/98765999999929", 12),
    ("urn:epc:id:sgcn:4012345.99999.44", "255/401234599999044", 7),
    ("urn:epc:id:cpi:0614141.11111111111111-A%23%2F.1234", "8010/061414111111111111111-A%23%2F/8011/1234", 7),
    ("urn:epc:id:ginc:0614141.xyz47%2F11", "401/0614141xyz47%2F11", 7),
    ("urn:epc:id:gsin:4012345.222333444", "402/40123452223334442", 7),
    ("urn:epc:id:itip:4012345.011111.01.02.987", "8006/040123451111180102/21/987", 7),
    ("urn:epc:id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7SDB", "01/01234567987651/235/51qIgY%29%3C%26Jp3%2Aj7SDB", 7),
    ("urn:epc:id:pgln:4000001.00000", "417/4000001000005", 7),
    ("urn:epc:id:pgln:999999999999.", "417/9999999999994", 12),
    ("urn:epc:idpat:sgtin:4012345.012345.*", "01/04012345123456", 7),
];

#[rustfmt::skip]
const CLASSES: [(&str, &str); 5] = [
    ("urn:epc:idpat:grai:4012345.99999.*", "8003/04012345999990"),
    ("urn:epc:idpat:gdti:4012345.11111.*", "253/4012345111118"),
    ("urn:epc:idpat:sgcn:4012345.22222.*", "255/4012345222227"),
    ("urn:epc:idpat:cpi:4012345.AB12.*", "8010/4012345AB12"),
    ("urn:epc:idpat:itip:4012345.012345.01.02.*", "8006/040123451234560102"),
];

#[test]
fn every_scheme_goes_to_its_link_and_back() {
    let classes = CLASSES.into_iter().map(|(urn, link)| (urn, link, 7));
    for (urn, link, company) in PAIRS.into_iter().chain(classes) {
        let link = format!("https://id.gs1.org/{link}");
        let epc = Epc::parse(urn).unwrap_or_else(|| panic!("{urn}"));
        assert_eq!(epc.to_urn(), urn);
        assert_eq!(epc.to_key().to_link(), link);
        assert_eq!(epc.company.len(), company);
        let key = Gs1Key::parse(&link).unwrap_or_else(|| panic!("{link}"));
        assert_eq!(Epc::from_key(&key, company).unwrap().to_urn(), urn);
        assert_eq!(canonical_link(&link).unwrap(), link);
    }
    let class = canonical_link("urn:epc:idpat:upui:4012345.012345.*");
    assert_eq!(class.unwrap(), "https://id.gs1.org/01/04012345123456");
}

#[test]
fn links_lose_what_does_not_identify() {
    #[rustfmt::skip]
    let cases = [
        ("https://id.gs1.org/gtin/09780345418913", "01/09780345418913"),
        ("https://example.com/gtin/09780345418913/21/765tz?abc=211121", "01/09780345418913/21/765tz"),
        ("http://example.de/gtin-8/01/97803111", "01/00000097803111"),
        ("http://us-company-with-UPC.com/01/001122334455/ser/GHB", "01/00001122334455/21/GHB"),
        ("https://id.gs1.org/gtin/9780345418913/cpv/344/lot/1223/ser/765tz", "01/09780345418913/21/765tz"),
        ("https://id.gs1.org/gtin/9780345418913/cpv/344", "01/09780345418913"),
        ("http://example.de/01/040123451234/cpv/344/lot/ABD", "01/00040123451234/10/ABD"),
        ("https://id.gs1.org/itip/123456789101100190/cpv/ABCD", "8006/123456789101100190"),
        ("https://fashion-corp.com/8006/040123451234560102/10/Lot-123/21/ser987", "8006/040123451234560102/21/ser987"),
        ("https://example.co.uk/party/4226350800008", "417/4226350800008"),
        ("https://example.org/8004/401234599999#part", "8004/401234599999"),
        ("https://id.gs1.org/8010/0628165987/8011/9876", "8010/0628165987/8011/9876"),
        ("https://id.gs1.org/255/0811625999996554433", "255/0811625999996554433"),
    ];
    for (link, canonical) in cases {
        assert_eq!(canonical_link(link).unwrap(), format!("https://id.gs1.org/{canonical}"));
    }
}

#[test]
fn what_is_no_key_stays_no_key() {
    for text in [
        "http://example.org/123/4012345ABC987/456/4711",
        "http://id.gs1.org/99/9780345418913",
        "http://id.gs1.org/01/9780345418913/99/utfgf",
        "http://example.de/abc/9780345418913",
        "http://example.de/01/97803",
        "https://id.gs1.org/8006/04012345123456/22/ABCD/10/XYZ",
        "42",
        "Hello World!",
        "",
        "urn:epc:id:sgtin:4012345.01111.9",
        "urn:epc:id:sgtin:401.0111111111.9",
        "urn:epc:id:sscc:4012345.00000003333",
        "urn:epc:id:lgtin:4012345.012345.a",
        "urn:epc:id:sgtin:4012345.011111.",
        "urn:epc:id:sgtin:4012345.011111.*%",
        "urn:epc:id:nope:1.2",
        "urn:epc:idpat:sgtin:4012345.*.*",
        "urn:epc:id:sgtin:4012345.011111.中",
        "urn:epc:class:lgtin:4012345.012345.A/7",
        "urn:epc:id:sgtin:4012345.011111.A<7>",
        "https://id.gs1.org/01/9780345418913/21/a/10/b",
    ] {
        assert_eq!(canonical_link(text), None, "{text}");
    }
    let wrong_check = Gs1Key::parse("https://id.gs1.org/414/4012345000055").unwrap();
    assert_eq!(Epc::from_key(&wrong_check, 7), None);
    let right = Gs1Key::parse("https://id.gs1.org/414/4012345000054").unwrap();
    assert_eq!(Epc::from_key(&right, 7).unwrap().serial, Serial::None);
    assert_eq!(Epc::from_key(&right, 5), None);
}

#[test]
fn gs1_digital_link_4_7_one_sequence_of_qualifiers_holds_and_no_slash_ends_a_link() {
    for text in [
        "https://id.gs1.org/01/04012345123456/21/a/235/b",
        "https://id.gs1.org/01/04012345123456/10/a/235/b",
        "https://id.gs1.org/01/04012345123456/10/a/10/a",
        "https://id.gs1.org/414/4012345000054/7040/1ABC",
        "https://id.gs1.org/01/04012345123456/",
        "https://id.gs1.org/01/04012345123456/10/a/",
        "https://id.gs1.org/01/04012345123456/10/",
        "https:///01/04012345123456",
        "https://example.com?of=/01/04012345123456",
        "ftp://example.com/01/04012345123456",
        "/01/04012345123456",
    ] {
        assert_eq!(canonical_link(text), None, "{text}");
    }
    for (text, canonical) in [
        ("HTTPS://ID.GS1.ORG/01/04012345123456/10/a", "01/04012345123456/10/a"),
        ("Http://Example.COM:8080/x/y/01/4012345123456?17=270501#p", "01/04012345123456"),
        ("https://example.com/00/faux/01/04012345123456/235/b", "01/04012345123456/235/b"),
        ("https://example.com/01/04012345123456/22/v/10/a/21/s", "01/04012345123456/21/s"),
        ("https://example.com/01/04012345123456/21/%41%2d", "01/04012345123456/21/A-"),
    ] {
        assert_eq!(canonical_link(text).unwrap(), format!("https://id.gs1.org/{canonical}"));
    }
}

#[test]
fn patterns_cover_by_part() {
    let id = "urn:epc:id:sgtin:4012345.011111.98.7";
    let link = "https://example.com/01/04012345111118/21/98.7";
    for wanted in [
        id,
        link,
        "urn:epc:idpat:sgtin:4012345.011111.*",
        "urn:epc:idpat:sgtin:4012345.*.*",
        "urn:epc:idpat:sgtin:*.*.*",
    ] {
        assert!(id_matches(wanted, id), "{wanted}");
        assert!(id_matches(wanted, link), "{wanted}");
    }
    for wanted in [
        "urn:epc:idpat:sgtin:4012345.011112.*",
        "urn:epc:idpat:sgtin:0614141.*.*",
        "urn:epc:idpat:sscc:*.*",
        "urn:epc:id:sgtin:4012345.011111.98",
        "urn:epc:idpat:sgtin:*",
    ] {
        assert!(!id_matches(wanted, id), "{wanted}");
    }
    let class = "urn:epc:idpat:sgtin:4012345.011111.*";
    assert!(id_matches(class, "https://id.gs1.org/01/04012345111118"));
    assert!(id_matches("urn:epc:idpat:sgtin:4012345.*.*", class));
    assert!(!id_matches(class, "urn:epc:idpat:sgtin:4012345.*.*"));
    assert!(id_matches("urn:epc:idpat:sscc:4012345.*", "urn:epc:id:sscc:4012345.0000000333"));
    assert!(id_matches("https://a.example/x", "https://a.example/x"));
}

#[test]
fn chinese_prefixes_tell_their_length() {
    for (link, digits) in [
        ("https://id.gs1.org/01/06901234567892/21/1", Some(7)),
        ("https://id.gs1.org/01/06921234567899/10/L", Some(8)),
        ("https://id.gs1.org/00/069712345600000013", Some(9)),
        ("https://id.gs1.org/8003/06971234560014", Some(9)),
        ("https://id.gs1.org/414/6901234000009", Some(7)),
        ("https://id.gs1.org/8004/69012345", Some(7)),
        ("https://id.gs1.org/01/06981234567894", None),
        ("https://id.gs1.org/414/4012345000054", None),
        ("https://id.gs1.org/8004/69801", None),
    ] {
        let key = Gs1Key::parse(link).unwrap_or_else(|| panic!("{link}"));
        assert_eq!(key.known_company_digits(), digits, "{link}");
    }
}
