//! Makes Rust of libva's interface for applications, and links libva.

use std::env;
use std::error::Error;
use std::path::PathBuf;

const HEADERS: &str =
    "#include <va/va.h>\n#include <va/va_drm.h>\n#include <va/va_drmcommon.h>\n#include <va/va_x11.h>\n";
const TYPES: &str = "VA(PictureParameter|IQMatrix|SliceParameter)BufferH264|VADRMPRIMESurfaceDescriptor|VASurfaceDecodeMBErrors|VASurfaceAttribExternalBuffers";
const FUNCTIONS: &str = "va[A-Z].*|X(Open|Close)Display";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    for library in ["va", "va-drm", "va-x11", "X11"] {
        println!("cargo::rustc-link-lib={library}");
    }
    let bindings = bindgen::Builder::default()
        .header_contents("client.h", HEADERS)
        .allowlist_type(TYPES)
        .allowlist_function(FUNCTIONS)
        .allowlist_var("VA_.*")
        // Of no library that is linked.
        .blocklist_function("vaDisplayIsValid_.*")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .derive_default(true)
        .derive_debug(true)
        .impl_debug(true)
        .generate_comments(false)
        .layout_tests(false)
        .merge_extern_blocks(true)
        .generate()?;
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    // Edition 2024 wants the word, which this bindgen does not know.
    let text = bindings
        .to_string()
        .replace("\nextern \"C\" {", "\nunsafe extern \"C\" {");
    std::fs::write(folder.join("bindings.rs"), text)?;
    Ok(())
}
