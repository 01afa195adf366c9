//! Makes Rust of libva's driver interface: the headers of whatever libva is installed, 2.17 or later.

use std::env;
use std::error::Error;
use std::path::PathBuf;

/// What of the headers the driver uses; bindgen adds what these are made of.
const TYPES: &str = "VADriverContext|VADriverVTable|VA(PictureParameter|IQMatrix|SliceParameter)BufferH264|VADRMPRIMESurfaceDescriptor|VADRMFormatModifierList\
                     |VASurfaceAttribType|VASurfaceAttribExternalBuffers|VASurfaceDecodeMBErrors";
const CONSTANTS: &str = "VA_(STATUS|PICTURE_H264|RT_FORMAT|SURFACE_ATTRIB|EXPORT_SURFACE|SLICE_DATA_FLAG|DEC_SLICE)_.*\
                         |VA_FOURCC_(NV12|P010)|VA_INVALID_.*|VA_LSB_FIRST|VA_ATTRIB_NOT_SUPPORTED|VA_TIMEOUT_INFINITE";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let bindings = bindgen::Builder::default()
        .header_contents("driver.h", "#include <va/va_backend.h>\n#include <va/va_drmcommon.h>\n")
        .allowlist_recursively(true)
        .allowlist_type(TYPES)
        .allowlist_var(CONSTANTS)
        // Nothing is handed to these by a driver.
        .opaque_type("VADriverVTable(GLX|EGL|Wayland|VPP|Prot)")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .derive_default(true)
        .derive_debug(true)
        .impl_debug(true)
        .generate_comments(false)
        .layout_tests(false)
        .merge_extern_blocks(true)
        .generate()?;
    // Since libva 2.21.
    println!("cargo::rustc-check-cfg=cfg(has_map_buffer_2)");
    if bindings.to_string().contains("vaMapBuffer2") {
        println!("cargo::rustc-cfg=has_map_buffer_2");
    }
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    bindings.write_to_file(folder.join("bindings.rs"))?;
    Ok(())
}
