//! 口令 (S-01, S-02): what is stored, what is good enough. Stored is
//! `HMAC-SM3(pepper, Argon2id(password, salt))`, so that the database alone is not enough to guess.

use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use yj_crypto::{equal_in_constant_time, from_hex, to_hex};
use yj_kernel::{App, Problem, Purpose, Result};

use crate::settings::Security;

/// 19 MiB and two passes: 37 ms of one core (security.md §2.4).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LENGTH_MAX: usize = 128;

/// A flood of log-ins must not eat memory or cores: so many at once …
const AT_ONCE: usize = 2;
/// … and so many waiting; the others are told to come back.
const WAITING: usize = 24;

/// Where passwords are stretched.
pub(crate) struct Mill {
    at_once: Semaphore,
    waiting: Semaphore,
}

impl Default for Mill {
    fn default() -> Self {
        Self { at_once: Semaphore::new(AT_ONCE), waiting: Semaphore::new(WAITING) }
    }
}

impl Mill {
    async fn stretched(&self, password: &str, salt: [u8; 16]) -> Result<[u8; 32]> {
        let busy = |_| Problem::TooMany(String::from("登录请求过多，请稍后重试"));
        let _place = self.waiting.try_acquire().map_err(busy)?;
        let _turn = self.at_once.acquire().await.map_err(Problem::internal)?;
        let password = zeroize::Zeroizing::new(String::from(password));
        let work = move || stretch(&password, salt);
        let done = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
        done.map_err(Problem::internal)
    }

    /// What is stored instead of a password: `$yj1$argon2id$m=…,t=…,p=1$salt$tag`.
    pub(crate) async fn verifier(&self, app: &App, password: &str) -> Result<String> {
        let salt = app.random().to_be_bytes();
        let stretched = self.stretched(password, salt).await?;
        let tag = app.vault().mac(Purpose::Pepper, &[&stretched])?;
        Ok(format!(
            "$yj1$argon2id$m={MEMORY_KIB},t={PASSES},p=1${}${}",
            to_hex(&salt),
            to_hex(&tag)
        ))
    }

    /// Whether the password is the one behind what is stored. Without anything stored the same
    /// work is done and the answer is no.
    pub(crate) async fn matches(
        &self,
        app: &App,
        password: &str,
        stored: Option<&str>,
    ) -> Result<bool> {
        let mut parts = stored.unwrap_or_default().split('$').skip(4);
        let salt = parts.next().and_then(from_hex::<16>);
        let tag = parts.next().and_then(from_hex::<32>);
        let password = if password.len() > LENGTH_MAX * 4 { "" } else { password };
        let stretched = self.stretched(password, salt.unwrap_or_default()).await?;
        let found = app.vault().mac(Purpose::Pepper, &[&stretched])?;
        Ok(tag.is_some_and(|tag| equal_in_constant_time(&found, &tag)))
    }
}

fn stretch(password: &str, salt: [u8; 16]) -> Result<[u8; 32], String> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|error| error.to_string())?;
    let mut verifier = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), &salt, &mut verifier)
        .map_err(|error| error.to_string())?;
    Ok(verifier)
}

/// What may not be part of a password, besides the dictionary.
#[derive(Debug, Default)]
pub(crate) struct About<'a> {
    pub(crate) user: &'a str,
    pub(crate) name: &'a str,
    pub(crate) organization: &'a str,
    pub(crate) phone: &'a str,
}

/// Words that make a password guessable however it is decorated: keyboard walks, common Chinese
/// words in Latin letters, family names with years, and what administrators like.
const WEAK: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "qazwsx",
    "1qaz2wsx",
    "zaq12wsx",
    "1q2w3e4r",
    "admin",
    "root",
    "test",
    "guest",
    "welcome",
    "letmein",
    "iloveyou",
    "woaini",
    "woaizhongguo",
    "zhongguo",
    "beijing",
    "shanghai",
    "xian",
    "abc123",
    "abcd1234",
    "a1b2c3",
    "123456",
    "654321",
    "111111",
    "888888",
    "666666",
    "000000",
    "112233",
    "5201314",
    "zhangsan",
    "lisi",
    "wangwu",
    "yuanjian",
    "zhuisu",
    "suyuan",
    "jianguan",
];

/// Whether a password is good enough; the detail says what would be.
pub(crate) fn check(settings: &Security, password: &str, about: &About<'_>) -> Result<()> {
    let wrong = |detail: String| Err(Problem::invalid("password", detail));
    let length = password.chars().count();
    let length_min = settings.password_min_length;
    if !(length_min..=LENGTH_MAX).contains(&length) {
        return wrong(format!("口令应为 {length_min} 至 {LENGTH_MAX} 位，现为 {length} 位"));
    }
    if password.chars().any(char::is_control) {
        return wrong(String::from("口令不能含控制字符"));
    }
    let has = |test: fn(char) -> bool| usize::from(password.chars().any(test));
    let classes = has(|letter| letter.is_ascii_lowercase())
        + has(|letter| letter.is_ascii_uppercase())
        + has(|letter| letter.is_ascii_digit())
        + has(|letter| !letter.is_ascii_alphanumeric());
    if classes < settings.password_classes {
        return wrong(format!(
            "口令应含大写字母、小写字母、数字、符号中的至少 {} 类",
            settings.password_classes
        ));
    }
    let lower = password.to_lowercase();
    let plain: String = lower.chars().filter(|letter| letter.is_alphanumeric()).collect();
    let own = [
        (about.user, "用户名"),
        (about.name, "姓名"),
        (about.organization, "单位名称"),
        (about.phone, "电话"),
    ];
    for (text, what) in own {
        let text = text.to_lowercase();
        if text.chars().count() >= 2 && (lower.contains(&text) || plain.contains(&text)) {
            return wrong(format!("口令不能包含{what}"));
        }
    }
    if let Some(word) = WEAK.iter().find(|word| lower.contains(*word) || plain.contains(*word)) {
        return wrong(format!("口令含常见词或键盘序列（{word}），容易被猜中"));
    }
    if has_run(&lower) {
        return wrong(String::from("口令含四个以上连续或重复的字符，如 1234、aaaa"));
    }
    let inputs = [about.user, about.name, about.organization];
    let score = u8::from(zxcvbn::zxcvbn(password, &inputs).score());
    if score < settings.password_score {
        return wrong(String::from("口令强度不足，请使用更长或更不规则的组合"));
    }
    Ok(())
}

/// Four characters in a row that only count up, down or stay.
fn has_run(text: &str) -> bool {
    let letters: Vec<u32> = text.chars().map(u32::from).collect();
    letters.windows(4).any(|four| {
        let steps: Vec<i64> =
            four.windows(2).map(|two| i64::from(two[1]) - i64::from(two[0])).collect();
        (-1..=1).contains(&steps[0]) && steps.iter().all(|step| *step == steps[0])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_passwords_are_named_for_what_they_are() {
        let about =
            About {
                user: "zhouqi", name: "周七", organization: "示例市局", phone: "13800138000"
            };
        let refused = |password: &str| check(&Security::default(), password, &about).is_err();
        for password in [
            "short-A1",
            "alllowercaseletters",
            "Qwerty@12345!",
            "Zhangsan@2026",
            "P@ssw0rd-2026",
            "Zhouqi-7Kp2mx",
            "13800138000-Ab",
            "Xk7-aaaa-Pq2m",
            "Xk7-4567-Pq2m",
            "周七的口令Ab1xyz",
            "Admin#8841xQz",
        ] {
            assert!(refused(password), "{password}");
        }
        for password in ["Xk7-vRw2-Pq9m", "青山-Wm4qzT-87", "tK9#mVx2!pLw"] {
            assert!(!refused(password), "{password}");
        }
    }
}
