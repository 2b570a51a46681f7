//! Reads JSON from a stream of bytes, holding no more than the value at hand.

use std::io::Read;

use crate::{
    fault::ReadError,
    json::{Json, Members},
    limits::Limits,
};

const BUFFER: usize = 16 << 10;

/// Bytes with their place and what may still be read of them.
pub(crate) struct Source<R> {
    reader: R,
    buffer: Box<[u8]>,
    at: usize,
    filled: usize,
    offset: u64,
    left: u64,
    /// What the value at hand may still take.
    budget: usize,
    depth_max: usize,
}

type Outcome<T> = Result<T, ReadError>;

impl<R: Read> Source<R> {
    pub(crate) fn new(reader: R, limits: &Limits) -> Self {
        Self {
            reader,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            at: 0,
            filled: 0,
            offset: 0,
            left: limits.document_bytes_max,
            budget: usize::MAX,
            depth_max: limits.depth_max,
        }
    }

    /// Allows the values that follow this many bytes; tells what was left before.
    pub(crate) fn allow(&mut self, budget: usize) -> usize {
        std::mem::replace(&mut self.budget, budget)
    }

    pub(crate) fn peek(&mut self) -> Outcome<Option<u8>> {
        while self.at == self.filled {
            match self.reader.read(&mut self.buffer) {
                Ok(0) => return Ok(None),
                Ok(filled) => (self.at, self.filled) = (0, filled),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(self.buffer[self.at]))
    }

    fn step(&mut self) -> Outcome<()> {
        if self.left == 0 {
            return Err(self.too_much("文档过大"));
        }
        if self.budget == 0 {
            return Err(self.too_much("这一部分过大"));
        }
        self.left -= 1;
        self.budget -= 1;
        self.at += 1;
        self.offset += 1;
        Ok(())
    }

    fn next(&mut self) -> Outcome<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.step()?;
        }
        Ok(byte)
    }

    /// The next byte that is no white space, not taken.
    pub(crate) fn peek_solid(&mut self) -> Outcome<Option<u8>> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek()? {
            self.step()?;
        }
        self.peek()
    }

    /// Takes the byte when it is the next that is no white space.
    pub(crate) fn accept(&mut self, wanted: u8) -> Outcome<bool> {
        let found = self.peek_solid()? == Some(wanted);
        if found {
            self.step()?;
        }
        Ok(found)
    }

    pub(crate) fn expect(&mut self, wanted: u8) -> Outcome<()> {
        if self.accept(wanted)? {
            return Ok(());
        }
        Err(self.syntax(format!("此处应为 {}", char::from(wanted))))
    }

    pub(crate) fn syntax(&self, detail: impl Into<String>) -> ReadError {
        ReadError::Syntax { offset: self.offset, detail: detail.into() }
    }

    pub(crate) fn too_much(&self, detail: impl Into<String>) -> ReadError {
        ReadError::TooMuch { offset: self.offset, detail: detail.into() }
    }

    /// A byte order mark before the text is common and harmless.
    pub(crate) fn skip_mark(&mut self) -> Outcome<()> {
        if self.peek()? == Some(0xEF) {
            for wanted in [0xEF, 0xBB, 0xBF] {
                if self.next()? != Some(wanted) {
                    return Err(self.syntax("应为 UTF-8 编码的 JSON"));
                }
            }
        }
        Ok(())
    }

    /// Nothing but white space is left.
    pub(crate) fn end(&mut self) -> Outcome<()> {
        match self.peek_solid()? {
            None => Ok(()),
            Some(_) => Err(self.syntax("文档之后不应再有内容")),
        }
    }

    pub(crate) fn value(&mut self, depth: usize) -> Outcome<Json> {
        match self.peek_solid()? {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(b't') => self.word("true").map(|()| Json::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Json::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Json::Null),
            Some(_) => Err(self.syntax("此处应为一个 JSON 值")),
            None => Err(self.syntax("JSON 在此中断")),
        }
    }

    fn deeper(&self, depth: usize) -> Outcome<usize> {
        if depth >= self.depth_max {
            return Err(self.too_much(format!("嵌套不应超过 {} 层", self.depth_max)));
        }
        Ok(depth + 1)
    }

    fn array(&mut self, depth: usize) -> Outcome<Json> {
        let depth = self.deeper(depth)?;
        self.step()?;
        let mut items = Vec::new();
        if self.accept(b']')? {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.accept(b']')? {
                return Ok(Json::Array(items));
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, depth: usize) -> Outcome<Json> {
        let depth = self.deeper(depth)?;
        self.step()?;
        let mut members = Object::default();
        if self.accept(b'}')? {
            return Ok(Json::Object(Members::new()));
        }
        loop {
            let name = self.name()?;
            let value = self.value(depth)?;
            self.insert(&mut members, name, value)?;
            if self.accept(b'}')? {
                return Ok(Json::Object(members.list));
            }
            self.expect(b',')?;
        }
    }

    /// A member's name and the colon after it.
    pub(crate) fn name(&mut self) -> Outcome<String> {
        if self.peek_solid()? != Some(b'"') {
            return Err(self.syntax("此处应为以双引号括起的名称"));
        }
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Adds a member; a name that is there already is refused, for no two readers would agree on
    /// which of both counts.
    pub(crate) fn insert(&self, object: &mut Object, name: String, value: Json) -> Outcome<()> {
        if !object.add(name.clone(), value) {
            return Err(self.syntax(format!("名称 {name} 不应重复")));
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> Outcome<()> {
        for wanted in word.bytes() {
            if self.next()? != Some(wanted) {
                return Err(self.syntax(format!("此处应为 {word}")));
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Outcome<String> {
        let mut text = String::new();
        self.take_if(&mut text, |byte| byte == b'-')?;
        if !self.take_if(&mut text, |byte| byte == b'0')? {
            self.digits(&mut text)?;
        }
        if self.take_if(&mut text, |byte| byte == b'.')? {
            self.digits(&mut text)?;
        }
        if self.take_if(&mut text, |byte| matches!(byte, b'e' | b'E'))? {
            self.take_if(&mut text, |byte| matches!(byte, b'+' | b'-'))?;
            self.digits(&mut text)?;
        }
        match self.peek()? {
            Some(b'0'..=b'9' | b'.' | b'+' | b'-' | b'a'..=b'z' | b'A'..=b'Z') => {
                Err(self.syntax("数的写法不对"))
            }
            _ => Ok(text),
        }
    }

    fn take_if(&mut self, text: &mut String, wanted: fn(u8) -> bool) -> Outcome<bool> {
        match self.peek()? {
            Some(byte) if wanted(byte) => {
                text.push(char::from(byte));
                self.step()?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn digits(&mut self, text: &mut String) -> Outcome<()> {
        let before = text.len();
        while self.take_if(text, |byte| byte.is_ascii_digit())? {}
        if text.len() == before {
            return Err(self.syntax("此处应为数字"));
        }
        Ok(())
    }

    fn string(&mut self) -> Outcome<String> {
        self.step()?;
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                Some(b'"') => break,
                Some(b'\\') => {
                    let letter = self.escape()?;
                    bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(byte) if byte < 0x20 => {
                    return Err(self.syntax("文本中的控制字符应写成转义"));
                }
                Some(byte) => bytes.push(byte),
                None => return Err(self.syntax("文本在此中断")),
            }
        }
        String::from_utf8(bytes).map_err(|_| self.syntax("应为 UTF-8 编码"))
    }

    fn escape(&mut self) -> Outcome<char> {
        let letter = match self.next()? {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.syntax("没有这种转义")),
        };
        Ok(letter)
    }

    fn unicode(&mut self) -> Outcome<char> {
        let first = self.four_digits()?;
        let code = if (0xD800..0xDC00).contains(&first) {
            let paired = self.next()? == Some(b'\\') && self.next()? == Some(b'u');
            let second = if paired { self.four_digits()? } else { 0 };
            if !(0xDC00..0xE000).contains(&second) {
                return Err(self.syntax("代理项应成对"));
            }
            0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.syntax("代理项应成对"))
    }

    fn four_digits(&mut self) -> Outcome<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next()?.and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.syntax("\\u 之后应为四位十六进制数"))?;
            code = code << 4 | digit;
        }
        Ok(code)
    }
}

/// Members as they come, with a quick answer to whether a name is there already.
#[derive(Default)]
pub(crate) struct Object {
    pub(crate) list: Members,
    seen: std::collections::HashSet<String>,
}

/// Below this a walk through the list is quicker than a set.
const FEW: usize = 16;

impl Object {
    fn add(&mut self, name: String, value: Json) -> bool {
        let known = if self.list.len() < FEW {
            self.list.iter().any(|(known, _)| *known == name)
        } else {
            if self.seen.is_empty() {
                self.seen.extend(self.list.iter().map(|(known, _)| known.clone()));
            }
            !self.seen.insert(name.clone())
        };
        if !known {
            self.list.push((name, value));
        }
        !known
    }
}

/// One value and nothing after it.
pub(crate) fn document<R: Read>(source: &mut Source<R>) -> Outcome<Json> {
    source.skip_mark()?;
    let value = source.value(0)?;
    source.end()?;
    Ok(value)
}
