//! The products of the ordinary trade, by class; every name is fictional goods of a common kind.

/// What one farm grows and one plant packs: code of the class and names.
pub(super) const CROPS: [(&str, &[&str]); 6] = [
    (
        "0101",
        &[
            "番茄",
            "黄瓜",
            "茄子",
            "辣椒",
            "菠菜",
            "芹菜",
            "大白菜",
            "甘蓝",
            "萝卜",
            "土豆",
            "大葱",
            "生姜",
            "大蒜",
        ],
    ),
    ("0102", &["苹果", "猕猴桃", "鲜枣", "石榴", "葡萄", "樱桃", "梨", "桃", "西瓜"]),
    ("0105", &["香菇", "平菇", "木耳"]),
    ("0104", &["小麦", "玉米", "小米", "荞麦"]),
    ("0103", &["绿茶", "茯茶", "红茶"]),
    ("0113", &["黄芩", "丹参"]),
];

/// What a works makes of what: code of the class, raw material, ingot or blank, finished goods.
pub(super) const METALS: [(&str, [&str; 3]); 8] = [
    ("0802", ["电解铜", "铜锭", "铜排"]),
    ("0802", ["原铝", "铝锭", "铝型材"]),
    ("0802", ["钼精矿", "钼坯", "钼丝"]),
    ("0802", ["镁锭", "镁合金坯", "镁合金件"]),
    ("0804", ["铁水", "轴承钢坯", "轴承钢管"]),
    ("0803", ["锆海绵", "锆锭", "锆管"]),
    ("0809", ["工业硅", "多晶硅锭", "单晶硅片"]),
    ("0805", ["铜杆", "电磁线坯", "电磁线"]),
];

/// What the makers of the other domains make of what: domain; class, name and unit of what goes in
/// and of what comes out.
pub(super) const OTHERS: [(&str, [(&str, &str, &str); 2]); 6] = [
    ("food", [("020501", "菜籽原油", "KGM"), ("020501", "菜籽油", "KGM")]),
    ("drug", [("030601", "黄芪药材", "KGM"), ("030501", "黄芪饮片", "KGM")]),
    ("agri_input", [("040201", "合成氨", "KGM"), ("040201", "尿素", "KGM")]),
    ("special_equipment", [("050149", "锅炉钢板", "SET"), ("050102", "热水锅炉", "SET")]),
    ("dangerous", [("060103", "煤制合成气", "TNE"), ("060103", "甲醇", "TNE")]),
    ("rare_earth", [("070101", "氟碳铈精矿", "TNE"), ("070203", "混合稀土氧化物", "TNE")]),
];
