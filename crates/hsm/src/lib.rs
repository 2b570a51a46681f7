//! 密码模块 (GM/T 0054, GB/T 39786 8.4): the root key in a device that never gives it out, through
//! PKCS#11, which every maker of certified modules supplies a library for.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    types::AuthPin,
};
use yj_crypto::{
    CryptoError,
    sm4::{Key, Nonce},
};
use yj_kernel::RootKey;

/// What keys are bound to, so that nothing else the device has sealed passes for one.
const WRAPPING: &[u8] = b"YJ/protection-key";
const TAG_BITS: u64 = 128;

/// Where the device is and how to reach the root key in it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The maker's PKCS#11 library.
    pub library: PathBuf,
    /// Label of the token.
    pub token: String,
    /// Label of the root key; made on first use.
    pub key: String,
}

/// A root key that lives in a PKCS#11 device, used by its authenticated encryption (AES-GCM).
pub struct Pkcs11RootKey {
    /// One conversation at a time; the device is asked only at start and rotation.
    session: Mutex<Session>,
    key: ObjectHandle,
    module: String,
    /// Keeps the library loaded.
    _library: Pkcs11,
}

impl Pkcs11RootKey {
    /// Logs in to the token and finds the root key; makes it, unextractable, on first use.
    pub fn open(place: &Place, pin: &str) -> Result<Self, String> {
        let told = |what: &str| {
            let what = format!("密码模块 {}：{what}", place.library.display());
            move |error: cryptoki::error::Error| format!("{what}（{error}）")
        };
        let library = load(&place.library).map_err(told("不能载入"))?;
        let slots = library.get_slots_with_initialized_token().map_err(told("不能列出令牌"))?;
        let mut found = None;
        for slot in slots {
            let info = library.get_token_info(slot).map_err(told("不能读取令牌"))?;
            if info.label() == place.token {
                found = Some((slot, info));
            }
        }
        let (slot, info) = found.ok_or_else(|| format!("密码模块中没有令牌 {}", place.token))?;
        let session = library.open_rw_session(slot).map_err(told("不能打开会话"))?;
        let pin = AuthPin::new(pin.to_owned().into());
        session.login(UserType::User, Some(&pin)).map_err(told("口令被拒绝"))?;
        let label = Attribute::Label(place.key.as_bytes().to_vec());
        let wanted = [Attribute::Class(ObjectClass::SECRET_KEY), label.clone()];
        let known = session.find_objects(&wanted).map_err(told("不能查找密钥"))?;
        let key = match known.as_slice() {
            [key] => *key,
            [] => make(&session, label).map_err(told("不能生成密钥"))?,
            _ => return Err(format!("密码模块中有多把名为 {} 的密钥", place.key)),
        };
        let module = format!(
            "密码模块 {} {}（PKCS#11）",
            info.manufacturer_id().trim(),
            info.model().trim()
        );
        Ok(Self { session: Mutex::new(session), key, module, _library: library })
    }
}

fn load(path: &Path) -> Result<Pkcs11, cryptoki::error::Error> {
    use cryptoki::error::{Error, RvError};
    let library = Pkcs11::new(path)?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Another part of this process was first.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(library),
        Err(error) => Err(error),
    }
}

fn make(session: &Session, label: Attribute) -> Result<ObjectHandle, cryptoki::error::Error> {
    let template = [
        label,
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(32.into()),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template)
}

fn gcm(nonce: &mut Nonce) -> Result<Mechanism<'_>, CryptoError> {
    let parameters =
        GcmParams::new(nonce, WRAPPING, TAG_BITS.into()).map_err(|_| CryptoError::Unavailable)?;
    Ok(Mechanism::AesGcm(parameters))
}

impl RootKey for Pkcs11RootKey {
    fn module(&self) -> String {
        self.module.clone()
    }

    fn wrap(&self, mut nonce: Nonce, key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let front = nonce;
        let sealed = session.encrypt(&gcm(&mut nonce)?, self.key, key);
        let sealed = sealed.map_err(|_| CryptoError::Unavailable)?;
        Ok([front.as_slice(), &sealed].concat())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Key, CryptoError> {
        let (nonce, sealed) = wrapped.split_first_chunk::<12>().ok_or(CryptoError::Sealed)?;
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut nonce = *nonce;
        let plain = session.decrypt(&gcm(&mut nonce)?, self.key, sealed);
        Key::from_slice(&plain.map_err(|_| CryptoError::Sealed)?)
    }
}
