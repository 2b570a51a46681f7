//! QR (GB/T 18284, ISO/IEC 18004, level M) and Data Matrix (ISO/IEC 16022, ECC 200).

use datamatrix::{DataMatrixBuilder, SymbolList};
use qrcodegen::{QrCode, QrCodeEcc};

use crate::Unfit;

/// Which symbol carries a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// 二维码 (QR)
    Qr,
    /// Data Matrix
    DataMatrix,
}

/// What a symbol carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Any text.
    Text(String),
    /// Elements of GS1 with FNC1 in front, and group separators (0x1D) behind those of variable
    /// length. Only Data Matrix carries them; QR carries the Digital Link as text.
    Elements(String),
}

/// The modules of a symbol, without its quiet zone; row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// Modules of a side.
    pub side: usize,
    /// Modules of the quiet zone around it.
    pub quiet: usize,
    dark: Vec<bool>,
}

impl Matrix {
    /// Whether a module is dark; those outside are light.
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        column < self.side
            && row < self.side
            && self.dark.get(row * self.side + column).copied().unwrap_or(false)
    }

    /// Modules of a side with the quiet zone on both ends.
    pub fn whole(&self) -> usize {
        self.side + 2 * self.quiet
    }
}

/// Makes a symbol.
pub fn symbol(kind: SymbolKind, content: &Content) -> Result<Matrix, Unfit> {
    match (kind, content) {
        (SymbolKind::Qr, Content::Text(text)) => {
            let long = |_| Unfit(String::from("内容过长，二维码放不下"));
            let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(long)?;
            let size = code.size();
            let side = usize::try_from(size).unwrap_or(0);
            let dark = (0..size)
                .flat_map(|row| (0..size).map(move |column| (column, row)))
                .map(|(column, row)| code.get_module(column, row))
                .collect();
            Ok(Matrix { side, quiet: 4, dark })
        }
        (SymbolKind::Qr, Content::Elements(_)) => Err(Unfit(String::from(
            "二维码请承载网址（GS1 Digital Link）；GS1 单元数据串请用 Data Matrix",
        ))),
        (SymbolKind::DataMatrix, content) => {
            // Without macros: the library takes a text that begins like one for one, whatever its end.
            let plain = DataMatrixBuilder::new()
                .with_symbol_list(SymbolList::default().enforce_square())
                .with_macros(false);
            let made = match content {
                Content::Text(text) if text.is_ascii() => plain.encode(text.as_bytes()),
                // UTF-8 announced by ECI 26.
                Content::Text(text) => plain.encode_eci(text.as_bytes(), Some(26)),
                Content::Elements(text) => plain.with_fnc1_start(true).encode(text.as_bytes()),
            };
            let code = made.map_err(|_| Unfit(String::from("内容过长，Data Matrix 放不下")))?;
            let map = code.bitmap();
            let side = map.width();
            Ok(Matrix { side, quiet: 2, dark: map.bits().to_vec() })
        }
    }
}

#[cfg(test)]
mod tests {
    use datamatrix::DataMatrix;

    use super::*;

    /// Dark modules as a picture of some pixels each, with the quiet zone.
    fn picture(matrix: &Matrix, scale: usize) -> (usize, Vec<u8>) {
        let width = matrix.whole() * scale;
        let dark = |x: usize, y: usize| {
            let at = |pixel: usize| (pixel / scale).checked_sub(matrix.quiet);
            at(x).zip(at(y)).is_some_and(|(column, row)| matrix.is_dark(column, row))
        };
        let pixel = |index: usize| if dark(index % width, index / width) { 0 } else { 255 };
        (width, (0..width * width).map(pixel).collect())
    }

    #[test]
    fn a_reader_reads_what_the_qr_code_says() {
        for text in [
            "https://trace.example.cn/t/00A7K29QX4T0VB8M3EJB",
            "示例农药\n示例登记证持有人\n12000012001123456789012345678901\nhttps://trace.example.cn/",
        ] {
            let matrix = symbol(SymbolKind::Qr, &Content::Text(String::from(text))).unwrap();
            let (width, pixels) = picture(&matrix, 4);
            let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, width, |x, y| {
                pixels[y * width + x]
            });
            let grids = image.detect_grids();
            assert_eq!(grids.len(), 1);
            let (meta, read) = grids[0].decode().unwrap();
            assert_eq!(read, text);
            // As the format counts them: 0 is M.
            assert_eq!(meta.ecc_level, 0, "level M");
        }
        let long = Content::Text("码".repeat(2_000));
        assert!(symbol(SymbolKind::Qr, &long).is_err());
    }

    #[test]
    fn a_reader_reads_what_the_data_matrix_says() {
        let text = "https://trace.example.cn/t/00A7K29QX4T0VB8M3EJB";
        let matrix = symbol(SymbolKind::DataMatrix, &Content::Text(String::from(text))).unwrap();
        assert_eq!(DataMatrix::decode(&matrix.dark, matrix.side).unwrap(), text.as_bytes());
        let elements = "0106901234567892\u{1d}10L1\u{1d}215";
        let content = Content::Elements(String::from(&elements[..16]) + "10L1\u{1d}215");
        let matrix = symbol(SymbolKind::DataMatrix, &content).unwrap();
        let read = DataMatrix::decode(&matrix.dark, matrix.side).unwrap();
        let read = String::from_utf8(read).unwrap();
        assert!(read.ends_with("010690123456789210L1\u{1d}215"), "{read:?}");
        // FNC1 is the first codeword of the symbol.
        let code = DataMatrix::encode_gs1(b"0106901234567892", SymbolList::default()).unwrap();
        assert_eq!(code.data_codewords()[0], 232);
        assert!(symbol(SymbolKind::Qr, &content).is_err());
    }

    #[test]
    fn a_text_that_begins_like_a_macro_is_whole() {
        for text in ["[)>\u{1e}05\u{1d}A", "[)>\u{1e}06\u{1d}10L1\u{1e}\u{4}"] {
            let content = Content::Text(String::from(text));
            let matrix = symbol(SymbolKind::DataMatrix, &content).unwrap();
            let read = DataMatrix::decode(&matrix.dark, matrix.side).unwrap();
            assert_eq!(String::from_utf8_lossy(&read), text);
        }
        let other = Content::Text(String::from("[)>\u{1e}06\u{1d}é"));
        assert!(symbol(SymbolKind::DataMatrix, &other).is_ok());
    }
}
