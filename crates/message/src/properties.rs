//! Whatever the bytes: no panic; and what is written is read back.

use proptest::{collection::vec, prelude::*};

use crate::{Flat, drug, meat, read_flat, to_json, to_xml, waybill};

fn everything(bytes: &[u8]) {
    let _ = read_flat(bytes, &meat::NAMES);
    let _ = meat::read_joined(bytes);
    let _ = drug::read(bytes);
    let _ = waybill::read(bytes);
}

fn records() -> impl Strategy<Value = Vec<Flat>> {
    let text = "[a-z示例<>&'\"0-9]([ -~示例]{0,20}[!-~示例])?";
    let fields = prop::collection::btree_map("[a-z_]{1,12}", vec(text, 1..4), 1..6);
    let record = ("[a-z_]{1,12}", fields).prop_map(|(name, fields)| {
        let fields = fields.into_iter().filter(|(name, _)| name != "message");
        let pairs = fields
            .flat_map(|(name, texts)| texts.into_iter().map(move |text| (name.clone(), text)));
        Flat { number: 0, name, fields: pairs.collect() }
    });
    vec(record, 1..5).prop_map(|mut records| {
        for (number, record) in (1..).zip(&mut records) {
            record.number = number;
        }
        records
    })
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..400)) {
        everything(&bytes);
    }

    #[test]
    fn nor_do_broken_messages(at in 0usize..4000, byte in any::<u8>(), which in 0usize..5) {
        let samples: [&[u8]; 5] = [
            include_bytes!("../samples/meat-vegetable.xml"),
            include_bytes!("../samples/drug-bill.xml"),
            include_bytes!("../samples/drug-bill.json"),
            include_bytes!("../samples/waybill.xml"),
            include_bytes!("../samples/waybill.json"),
        ];
        let mut bytes = samples[which].to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        everything(&bytes);
        everything(&bytes[..at]);
    }

    #[test]
    fn what_is_written_is_read_back(records in records()) {
        let xml = to_xml("messages", &records);
        prop_assert_eq!(&read_flat(xml.as_bytes(), &[]).unwrap(), &records);
        let json = to_json(&records).to_string();
        prop_assert_eq!(&read_flat(json.as_bytes(), &[]).unwrap(), &records);
    }
}
