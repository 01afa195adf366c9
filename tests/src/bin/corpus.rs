//! What a fuzzer begins with: `corpus FOLDER` writes the corpus of each law, and a thousand inputs made of it where a
//! fuzzer would take long to find them, into `FOLDER/LAW`.

use std::path::Path;

use fourier_tests::Outcome;
use fourier_tests::laws::inputs::{corpus, mutations};
use fourier_tests::laws::{LAWS, Law};

/// Inputs made by seeds: edited syntax is hard to come by from flipped bits.
const MUTATIONS: usize = 1000;

fn main() -> Outcome {
    let folder = std::env::args_os().nth(1).ok_or("usage: corpus FOLDER")?;
    for law in &LAWS {
        write(law, &Path::new(&folder).join(law.name))?;
    }
    Ok(())
}

fn write(law: &Law, folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder)?;
    let corpus = corpus(law)?;
    let made = mutations(law, corpus.clone(), 0).take(MUTATIONS);
    for (number, (_, input)) in corpus.iter().cloned().chain(made).enumerate() {
        std::fs::write(folder.join(format!("seed-{number:05}")), input)?;
    }
    Ok(())
}
