//! The walls of the house: who imports whom, and where `unsafe` may stand. Read from the sources themselves.

use std::path::{Path, PathBuf};

use fourier_tests::{Outcome, project_root};
use syn::visit::{self, Visit};

/// A module of core, and what of core it may import; a name covers everything below it.
///
/// `units` and `error` are open to all.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("error", &[]),
    ("sys", &[]),
    ("memory", &["sys"]),
    ("device", &["sys", "memory"]),
    ("pool", &["sys", "memory", "device"]),
    ("h264", &[]),
    ("decode::job", &["h264"]),
    ("decode::controls", &["h264", "device", "decode::job"]),
    (
        "decode::request",
        &["sys", "memory", "device", "pool", "decode::controls", "decode::job"],
    ),
    (
        "decode::session",
        &["sys", "memory", "device", "pool", "h264", "decode"],
    ),
    ("decode::stream", &["sys", "memory", "device", "pool", "h264", "decode"]),
];

/// What the GStreamer plugin may import of core; `pool` for the frames that the stream decoder gives out.
const FRONT_END_MAY_IMPORT: &[&str] = &["decode::stream", "device", "memory", "h264", "pool"];

/// What the libva driver may import of core: the stream decoder's parts, without the stream.
const VA_DRIVER_MAY_IMPORT: &[&str] = &["decode::job", "decode::session", "device", "memory", "h264", "pool"];

/// The rings: the only places with `unsafe`.
const RINGS: &[&str] = &[
    "core/src/sys/",
    "core/soft/src/simd/",
    "gst-plugin/src/fourierh264dec/memory",
    "va-driver/src/ffi/",
    "tests/vaclient/src/ffi/",
];

/// Longer files and functions than these are hard to read; reported, not refused.
const LINES_OF_A_FILE: usize = 600;
const LINES_OF_A_FUNCTION: usize = 60;

/// One source file, parsed, with what it imports outside of its tests.
struct Source {
    path: PathBuf,
    /// Path from the project's root.
    name: String,
    /// `decode::stream::tests` for `core/src/decode/stream/tests.rs`.
    module: Vec<String>,
    text: String,
    found: Found,
}

/// What a walk through a file notes.
#[derive(Default)]
struct Found {
    paths: Vec<Vec<String>>,
    unsafe_lines: Vec<usize>,
    long_functions: Vec<(String, usize)>,
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|condition| condition.is_ident("test"))
    })
}

fn flatten(tree: &syn::UseTree, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let with = |name: String| [prefix, &[name]].concat();
    match tree {
        syn::UseTree::Path(path) => flatten(&path.tree, &with(path.ident.to_string()), paths),
        syn::UseTree::Name(name) => paths.push(with(name.ident.to_string())),
        syn::UseTree::Rename(rename) => paths.push(with(rename.ident.to_string())),
        syn::UseTree::Glob(_) => paths.push(with("*".to_owned())),
        syn::UseTree::Group(group) => group.items.iter().for_each(|item| flatten(item, prefix, paths)),
    }
}

impl Found {
    fn note_unsafe(&mut self, token: &syn::Token![unsafe]) {
        self.unsafe_lines.push(token.span.start().line);
    }

    fn note_length(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let lines = block.brace_token.span.close().end().line - signature.fn_token.span.start().line + 1;
        if lines > LINES_OF_A_FUNCTION {
            self.long_functions.push((signature.ident.to_string(), lines));
        }
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_for_tests(&item.attrs) {
            flatten(&item.tree, &[], &mut self.paths);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths
            .push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.note_unsafe(&block.unsafe_token);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        item.unsafety.iter().for_each(|token| self.note_unsafe(token));
        visit::visit_item_impl(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        signature.unsafety.iter().for_each(|token| self.note_unsafe(token));
        visit::visit_signature(self, signature);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.note_length(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note_length(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }
}

impl Source {
    fn read(path: PathBuf, crate_root: &Path) -> Outcome<Self> {
        let text = std::fs::read_to_string(&path)?;
        let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut found = Found::default();
        found.visit_file(&parsed);
        let module = path.strip_prefix(crate_root)?.with_extension("");
        let mut module: Vec<_> = module.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        module.pop_if(|last| last == "mod" || last == "lib");
        let name = path.strip_prefix(project_root())?.display().to_string();
        Ok(Self {
            path,
            name,
            module,
            text,
            found,
        })
    }

    /// Files of tests may import what they like.
    fn is_for_tests(&self) -> bool {
        self.module
            .iter()
            .any(|part| part == "tests" || part.ends_with("_tests"))
    }

    /// `path` from the crate's root on, where it begins with `crate` or `super`.
    fn resolve(&self, path: &[String]) -> Option<Vec<String>> {
        let supers = path.iter().take_while(|part| *part == "super").count();
        match path.first().map(String::as_str) {
            Some("crate") => Some(path[1..].to_vec()),
            Some("super") => {
                let above = self.module.len().checked_sub(supers)?;
                Some([&self.module[..above], &path[supers..]].concat())
            }
            _ => None,
        }
    }

    /// Modules of its own crate that it imports, from the crate's root on.
    fn imports(&self) -> impl Iterator<Item = Vec<String>> {
        self.found.paths.iter().filter_map(|path| self.resolve(path))
    }

    /// What it imports of another crate.
    fn imports_of(&self, other: &str) -> impl Iterator<Item = Vec<String>> {
        self.found
            .paths
            .iter()
            .filter(move |path| path.first().is_some_and(|first| first == other))
            .map(|path| path[1..].to_vec())
    }

    fn mentions(&self, word: &str) -> bool {
        self.found.paths.iter().flatten().any(|part| part.starts_with(word))
    }
}

/// Every source below a folder of the project.
fn sources(folder: &str) -> Outcome<Vec<Source>> {
    fn collect(folder: &Path, crate_root: &Path, sources: &mut Vec<Source>) -> Outcome {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                collect(&path, crate_root, sources)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(Source::read(path, crate_root)?);
            }
        }
        Ok(())
    }
    let root = project_root().join(folder);
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources)?;
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

/// `path` is `name` or lies below it.
fn is_within(path: &[String], name: &str) -> bool {
    name.split("::")
        .enumerate()
        .all(|(depth, part)| path.get(depth).is_some_and(|p| p == part))
}

fn must_be_empty(faults: &[String]) -> Outcome {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n").into())
    }
}

#[test]
fn every_module_of_core_imports_only_what_lies_below_it() -> Outcome {
    let mut faults = Vec::new();
    for source in sources("core/src")?.iter().filter(|source| !source.is_for_tests()) {
        let Some((own, allowed)) = MAY_IMPORT.iter().find(|(name, _)| is_within(&source.module, name)) else {
            continue;
        };
        let open_to_all = ["units", "error", "Error", "Result", "BitstreamError", "IoctlError"];
        let strangers = source.imports().filter(|import| {
            // `super` up to the folder's own `mod.rs` names its items, not a module.
            let is_module = MAY_IMPORT.iter().any(|(name, _)| is_within(import, name));
            is_module && !is_within(import, own)
        });
        faults.extend(
            strangers
                .filter(|import| !open_to_all.iter().chain(*allowed).any(|name| is_within(import, name)))
                .map(|import| format!("{}: {own} imports {}", source.name, import.join("::"))),
        );
    }
    must_be_empty(&faults)
}

#[test]
fn only_the_controls_module_sees_both_h264_types_and_control_structs() -> Outcome {
    let sources = sources("core/src")?;
    let both = sources
        .iter()
        .filter(|source| !source.is_for_tests() && !is_within(&source.module, "decode::controls"));
    let both = both.filter(|source| {
        source.mentions("v4l2_ctrl_h264") && source.imports().any(|import| is_within(&import, "h264"))
    });
    must_be_empty(&both.map(|source| source.name.clone()).collect::<Vec<_>>())
}

#[test]
fn the_syntax_and_the_dpb_know_no_descriptor_and_no_clock() -> Outcome {
    let sources = sources("core/src/h264")?;
    let impure = sources
        .iter()
        .filter(|source| !source.is_for_tests())
        .flat_map(|source| {
            let outside = [
                ["std", "os"],
                ["std", "time"],
                ["std", "fs"],
                ["std", "io"],
                ["std", "thread"],
            ];
            let paths = source.found.paths.iter();
            paths
                .filter(move |path| outside.iter().any(|outside| path.iter().take(2).eq(outside)))
                .map(|path| format!("{}: {}", source.name, path.join("::")))
        });
    must_be_empty(&impure.collect::<Vec<_>>())
}

#[test]
fn the_software_decoder_imports_nothing_of_core() -> Outcome {
    let sources = sources("core/soft/src")?;
    let strangers = sources
        .iter()
        .filter(|source| source.imports_of("fourier_core").next().is_some());
    must_be_empty(&strangers.map(|source| source.name.clone()).collect::<Vec<_>>())
}

#[test]
fn the_front_ends_reach_core_through_its_public_doors() -> Outcome {
    let mut faults = Vec::new();
    let front_ends = [
        (sources("gst-plugin/src")?, FRONT_END_MAY_IMPORT),
        (sources("va-driver/src")?, VA_DRIVER_MAY_IMPORT),
    ];
    let of_both = front_ends
        .iter()
        .flat_map(|(sources, allowed)| sources.iter().map(move |source| (source, *allowed)));
    for (source, may_import) in of_both.filter(|(source, _)| !source.is_for_tests()) {
        let strangers = source.imports_of("fourier_core").filter(|import| {
            let is_module = MAY_IMPORT.iter().any(|(name, _)| is_within(import, name));
            let allowed = ["units", "error"].iter().chain(may_import);
            is_module && !allowed.into_iter().any(|name| is_within(import, name))
        });
        faults.extend(strangers.map(|import| format!("{}: {}", source.name, import.join("::"))));
    }
    must_be_empty(&faults)
}

#[test]
fn unsafe_stands_in_the_rings_only() -> Outcome {
    let mut faults = Vec::new();
    for folder in ["core/src", "core/soft/src", "gst-plugin/src", "va-driver/src", "tests"] {
        for source in sources(folder)? {
            let in_ring = RINGS.iter().any(|ring| source.name.starts_with(ring));
            let lines = source.found.unsafe_lines.iter().filter(|_| !in_ring);
            faults.extend(lines.map(|line| format!("{}:{line}: unsafe outside of the rings", source.name)));
        }
    }
    must_be_empty(&faults)
}

#[test]
fn long_files_and_functions_are_reported() -> Outcome {
    for folder in ["core/src", "core/soft/src", "gst-plugin/src", "va-driver/src", "tests"] {
        for source in sources(folder)? {
            let lines = source.text.lines().count();
            if lines > LINES_OF_A_FILE {
                eprintln!("warning: {} has {lines} lines", source.name);
            }
            for (function, lines) in &source.found.long_functions {
                eprintln!("warning: {}: {function} has {lines} lines", source.name);
            }
        }
    }
    Ok(())
}
