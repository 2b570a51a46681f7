//! 多音字: how the letters of names are read. Most have one reading that anybody would type; those
//! that have more, or whose usual one is not that of the dictionary, are listed here.

use pinyin::ToPinyin as _;

/// Letters with every reading that names use.
const LETTERS: &str = "\
长chang/zhang 重zhong/chong 行xing/hang 都du/dou 乐le/yue 厦xia/sha 朝chao/zhao 藏zang/cang \
曾zeng/ceng 单shan/dan 解jie/xie 仇qiu/chou 盖gai/ge 蚌beng/bang 埔pu/bu 调tiao/diao \
降jiang/xiang 参shen/can 薄bo/bao 牟mu/mou 什shi/shen 泊bo/po 车che/ju 卜bu/bo 柏bai/bo \
堡bao/bu/pu 便bian/pian 番fan/pan 浒xu/hu 蔚wei/yu 尉wei/yu 铅qian/yan 枞zong/cong \
莘xin/shen 郇xun/huan 查cha/zha 翟zhai/di 召zhao/shao 折zhe/she 缪miao/mou 覃qin/tan \
隗wei/kui 洗xi/xian 宓mi/fu 乜nie/mie 祭ji/zhai 繁fan/po 朴pu/piao 贲ben/bi 盛sheng/cheng \
谌chen/shen 晟sheng/cheng 和he/huo 角jiao/jue 蛤ge/ha 咖ka/ga 壳ke/qiao 弹dan/tan 扒ba/pa \
扎zha/za 炮pao/bao 圈quan/juan 传chuan/zhuan 弄nong/long 巷xiang/hang 宿su/xiu 刹cha/sha \
塞sai/se 沓ta/da 率lv/shuai 露lu/lou 蔓man/wan 粘zhan/nian 强qiang/jiang 乾qian/gan \
茄qie/jia 雀que/qiao 色se/shai 血xue/xie 择ze/zhai 殖zhi/shi 属shu/zhu 仔zai/zi 兹zi/ci \
龟gui/qiu 谷gu/yu 镐hao/gao 栎li/yue 歙she/xi 浚xun/jun 荥xing/ying 漯luo/ta 泌bi/mi \
珲hun/hui 棱ling/leng 峙zhi/shi 筠jun/yun 犍jian/qian 陂pi/bei 栟ben/bing 渑mian/sheng \
莞guan/wan 佛fo 畜xu/chu 轧zha/ya 铣xi/xian 涡guo/wo 浍hui/kuai 拓tuo/ta 乘cheng/sheng \
匙shi/chi 葚shen/ren 靓liang/jing 琢zhuo 柞zuo/zha 崴wai/wei 垌dong/tong 峒dong/tong \
卷juan/quan 芥jie/gai 劲jin/jing 糜mi/mei 模mo/mu 辗zhan 隽jun/juan 脯fu/pu 削xue/xiao \
钥yao/yue 剥bo/bao 侗dong/tong 囤tun 给gei/ji 颈jing/geng 绿lv/lu 曝pu/bao 娜na/nuo";

/// Words in which a letter is read as nowhere else.
const WORDS: &[(&str, &[&str])] = &[
    ("大城", &["dai", "cheng"]),
    ("大夫", &["dai", "fu"]),
    ("六安", &["lu", "an"]),
    ("六合", &["lu", "he"]),
    ("乐亭", &["lao", "ting"]),
    ("乐陵", &["lao", "ling"]),
    ("台州", &["tai", "zhou"]),
    ("百色", &["bo", "se"]),
    ("万俟", &["mo", "qi"]),
    ("尉迟", &["yu", "chi"]),
    ("澹台", &["tan", "tai"]),
    ("单于", &["chan", "yu"]),
    ("吐谷浑", &["tu", "yu", "hun"]),
    ("盱眙", &["xu", "yi"]),
    ("黄陂", &["huang", "pi"]),
    ("黑瞎子", &["hei", "xia", "zi"]),
    ("番禺", &["pan", "yu"]),
    ("可汗", &["ke", "han"]),
    ("大宛", &["da", "yuan"]),
    ("龟兹", &["qiu", "ci"]),
    ("东阿", &["dong", "e"]),
    ("洪洞", &["hong", "tong"]),
    ("会稽", &["kuai", "ji"]),
    ("会计", &["kuai", "ji"]),
];

/// Letters that are read otherwise as surnames, which names begin with.
const SURNAMES: &[(char, &str)] = &[('区', "ou"), ('种', "chong"), ('员', "yun"), ('秘', "bi")];

/// Readings of one name that are written out together; the rest come one at a time.
const TOGETHER_MAX: usize = 16;
/// Readings of one name at most.
const READINGS_MAX: usize = 48;

fn letter(wanted: char) -> Option<impl Iterator<Item = &'static str>> {
    let found = LETTERS.split_whitespace().find_map(|entry| entry.strip_prefix(wanted))?;
    Some(found.split('/'))
}

/// Every way to read each letter, the usual one first; what is no Chinese letter has none.
fn ways(letters: &[char]) -> Vec<Vec<&'static str>> {
    let usual = |one: char| one.to_pinyin().map(pinyin::Pinyin::plain);
    let mut ways: Vec<Vec<&'static str>> = letters
        .iter()
        .map(|one| match letter(*one) {
            Some(readings) => readings.collect(),
            None => usual(*one).into_iter().collect(),
        })
        .collect();
    let mut other = |at: usize, reading: &'static str| {
        if !ways[at].contains(&reading) {
            ways[at].push(reading);
        }
    };
    for (surname, reading) in SURNAMES {
        if letters.first() == Some(surname) {
            other(0, reading);
        }
    }
    for (word, readings) in WORDS {
        let word: Vec<char> = word.chars().collect();
        for at in 0..letters.len() {
            if letters[at..].starts_with(&word) {
                for (within, reading) in readings.iter().enumerate() {
                    other(at + within, reading);
                }
            }
        }
    }
    ways
}

/// The ways in which a name may be read, each a reading of every letter: all that go together as
/// long as they are few, and of longer names at least every reading of every letter once.
pub(crate) fn readings(letters: &[char]) -> Vec<Vec<Option<&'static str>>> {
    let ways = ways(letters);
    let mut found: Vec<Vec<Option<&'static str>>> =
        vec![ways.iter().map(|way| way.first().copied()).collect()];
    for (at, way) in ways.iter().enumerate().filter(|(_, way)| way.len() > 1) {
        let together = found.len() * way.len() <= TOGETHER_MAX;
        let bases = if together { found.len() } else { 1 };
        for reading in &way[1..] {
            for base in 0..bases {
                if found.len() < READINGS_MAX {
                    let mut other = found[base].clone();
                    other[at] = Some(reading);
                    found.push(other);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Vec<String> {
        let letters: Vec<char> = name.chars().collect();
        let join = |one: Vec<Option<&str>>| one.into_iter().flatten().collect::<String>();
        readings(&letters).into_iter().map(join).collect()
    }

    #[test]
    fn every_letter_is_read_in_every_way_on_its_own() {
        assert_eq!(
            read("重庆长安"),
            ["zhongqingchangan", "chongqingchangan", "zhongqingzhangan", "chongqingzhangan"]
        );
        assert_eq!(read("厦门"), ["xiamen", "shamen"]);
        assert_eq!(read("六安"), ["liuan", "luan"]);
        assert_eq!(read("六厂"), ["liuchang"]);
        assert_eq!(read("区公所"), ["qugongsuo", "ougongsuo"]);
        assert_eq!(read("开发区"), ["kaifaqu"]);
    }

    #[test]
    fn names_of_many_readings_stay_small_and_miss_none() {
        let name = "长重行都乐厦朝藏曾单解仇盖蚌埔会调降参薄";
        let found = read(name);
        assert!(found.len() <= READINGS_MAX, "{}", found.len());
        for reading in ["zhang", "chong", "hang", "dou", "yue", "sha", "cang", "can", "bao"] {
            assert!(found.iter().any(|one| one.contains(reading)), "{reading}");
        }
    }

    #[test]
    fn every_line_of_the_lists_is_sound() {
        let mut seen = std::collections::BTreeSet::new();
        for entry in LETTERS.split_whitespace() {
            let mut letters = entry.chars();
            let letter = letters.next().unwrap();
            assert!(letter.to_pinyin().is_some() && seen.insert(letter), "{entry}");
            let sound = |reading: &str| {
                !reading.is_empty() && reading.bytes().all(|byte| byte.is_ascii_lowercase())
            };
            assert!(letters.as_str().split('/').all(sound), "{entry}");
        }
        for (word, readings) in WORDS {
            assert_eq!(word.chars().count(), readings.len(), "{word}");
        }
    }
}
