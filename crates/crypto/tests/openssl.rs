//! SM2, SM3 and SM4 against OpenSSL: what one makes the other takes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::{path::Path, process::Command};

use yj_crypto::{PublicKey, Signature, Signer as _, SigningKey, sm3, sm4, to_hex};

/// A folder to work in; nothing where there is no OpenSSL, which a build server must have.
fn bench() -> Option<tempfile::TempDir> {
    let found = Command::new("openssl").arg("version").output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(tempfile::tempdir().unwrap());
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "openssl 不在，国密互验没有进行");
    eprintln!("没有 openssl，国密互验没有进行");
    None
}

fn attempt(folder: &Path, arguments: &str) -> (bool, Vec<u8>) {
    let mut command = Command::new("openssl");
    let output = command.args(arguments.split(' ')).current_dir(folder).output().unwrap();
    (output.status.success(), output.stdout)
}

fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    let (well, output) = attempt(folder, arguments);
    assert!(well, "openssl {arguments}");
    output
}

fn message(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

/// The parts of a DER signature as `r ‖ s`.
fn plain(der: &[u8]) -> Signature {
    let mut signature = [0; 64];
    let mut rest = &der[2..];
    for half in signature.chunks_exact_mut(32) {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = &number[number.len().saturating_sub(32)..];
        half[32 - number.len()..].copy_from_slice(number);
        rest = &rest[2 + length..];
    }
    signature
}

fn der(signature: &Signature) -> Vec<u8> {
    let number = |half: &[u8]| {
        let start = half.iter().position(|byte| *byte != 0).unwrap_or(31);
        let sign: &[u8] = if half[start] & 0x80 == 0 { &[] } else { &[0] };
        let digits = [sign, &half[start..]].concat();
        [&[2, u8::try_from(digits.len()).unwrap()], digits.as_slice()].concat()
    };
    let body = [number(&signature[..32]), number(&signature[32..])].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
}

const SIGN: &str = "pkeyutl -sign -inkey key.pem -rawin -digest sm3 \
                    -pkeyopt distid:1234567812345678 -in message";
const VERIFY: &str = "pkeyutl -verify -pubin -inkey public.pem -rawin -digest sm3 \
                      -pkeyopt distid:1234567812345678 -in message -sigfile signature";

#[test]
fn sm2_signatures_are_taken_both_ways() {
    let Some(folder) = bench() else { return };
    let at = folder.path();
    for round in 0..8u8 {
        // Keys of ours and keys of theirs, in turn.
        if round % 2 == 0 {
            let ours = SigningKey::from_seed(&[round + 1; 32]).unwrap();
            std::fs::write(at.join("key.pem"), ours.to_pem().unwrap().as_bytes()).unwrap();
        } else {
            openssl(at, "genpkey -algorithm SM2 -out key.pem");
        }
        let key = std::fs::read_to_string(at.join("key.pem")).unwrap();
        let key = SigningKey::from_pem(&key).unwrap();
        let public = openssl(at, "pkey -in key.pem -pubout -outform DER");
        let public: [u8; 65] = public[public.len() - 65..].try_into().unwrap();
        assert_eq!(PublicKey::from_bytes(&public).unwrap(), *key.public_key());
        openssl(at, "pkey -in key.pem -pubout -out public.pem");
        let text = message(usize::from(round) * 37);
        std::fs::write(at.join("message"), &text).unwrap();
        let theirs = plain(&openssl(at, SIGN));
        assert_eq!(key.public_key().verify(&text, &theirs), Ok(()));
        let ours = key.sign(&text).unwrap();
        std::fs::write(at.join("signature"), der(&ours)).unwrap();
        openssl(at, VERIFY);
        std::fs::write(at.join("message"), [&text, b"x".as_slice()].concat()).unwrap();
        assert!(!attempt(at, VERIFY).0, "another message");
    }
}

#[test]
fn sm3_digests_are_the_same() {
    let Some(folder) = bench() else { return };
    for length in [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 100_000] {
        let text = message(length);
        std::fs::write(folder.path().join("message"), &text).unwrap();
        let theirs = openssl(folder.path(), "dgst -sm3 -binary message");
        assert_eq!(to_hex(&theirs), sm3::hex(&sm3::digest(&text)), "{length}");
        let theirs = openssl(
            folder.path(),
            "mac -digest SM3 -macopt hexkey:00ff17 -in message -binary HMAC",
        );
        assert_eq!(to_hex(&theirs), sm3::hex(&sm3::hmac(&[0, 0xff, 0x17], &text)), "{length}");
    }
}

/// Multiplication in GF(2¹²⁸) as GCM has it (NIST SP 800-38D §6.3).
fn times(left: u128, right: u128) -> u128 {
    let (mut product, mut shifted) = (0, right);
    for bit in (0..128).rev() {
        if left >> bit & 1 == 1 {
            product ^= shifted;
        }
        let odd = shifted & 1 == 1;
        shifted >>= 1;
        if odd {
            shifted ^= 0xe1 << 120;
        }
    }
    product
}

fn ghash(key: u128, context: &[u8], hidden: &[u8]) -> u128 {
    let block = |bytes: &[u8]| {
        let mut block = [0; 16];
        block[..bytes.len()].copy_from_slice(bytes);
        u128::from_be_bytes(block)
    };
    let bits = |bytes: &[u8]| u128::try_from(bytes.len() * 8).unwrap();
    let blocks = context.chunks(16).chain(hidden.chunks(16)).map(block);
    let lengths = bits(context) << 64 | bits(hidden);
    blocks.chain([lengths]).fold(0, |sum, block| times(sum ^ block, key))
}

/// The command has no GCM; its counter mode and its single blocks make one.
#[test]
fn sm4_sealed_texts_are_the_same() {
    let Some(folder) = bench() else { return };
    let at = folder.path();
    let secret = [0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xf0];
    let key = to_hex(&secret);
    let blocks = |plain: &[u8]| {
        std::fs::write(at.join("message"), plain).unwrap();
        openssl(at, &format!("enc -sm4-ecb -nopad -K {key} -in message"))
    };
    for length in [0, 1, 15, 16, 17, 1000] {
        let (plain, context) = (message(length), message(length % 40));
        let nonce = [u8::try_from(length % 256).unwrap(); 12];
        let sealed = sm4::Key::new(secret).seal(nonce, &context, &plain);
        let counter = to_hex(&nonce) + "00000002";
        std::fs::write(at.join("message"), &plain).unwrap();
        let hidden = openssl(at, &format!("enc -sm4-ctr -K {key} -iv {counter} -in message"));
        let number = |bytes: Vec<u8>| u128::from_be_bytes(bytes.try_into().unwrap());
        let first = [nonce.as_slice(), &[0, 0, 0, 1]].concat();
        let tag = ghash(number(blocks(&[0; 16])), &context, &hidden) ^ number(blocks(&first));
        let theirs = [nonce.as_slice(), &hidden, &tag.to_be_bytes()].concat();
        assert_eq!(to_hex(&sealed), to_hex(&theirs), "{length}");
    }
}
