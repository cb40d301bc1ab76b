//! What is to be tried: the template, the function, its code, the event and the seed objects, all checked before
//! anything runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use rolecall_runtime::{Interpreter, Interpreters, RuntimeIdentifier};
use rolecall_template::{CodeSource, FunctionSummary, Plan, Pseudo, Template};

use super::build::{self, Source};
use crate::arguments::TryArguments;
use crate::failure::{Context, Failure};

/// Largest template and largest event that are read.
const LARGEST_FILE: u64 = 6 * 1024 * 1024;

/// Account and region a template is tried in: those `rolecall serve` stands for by default.
pub(crate) const ACCOUNT: &str = "123456789012";
/// See [`ACCOUNT`].
pub(crate) const REGION: &str = "us-east-1";

/// Everything a run needs.
pub(crate) struct Subject {
    pub(crate) plan: Plan,
    pub(crate) function: FunctionSummary,
    /// Zips by logical id of the functions whose code is on this machine.
    pub(crate) code: BTreeMap<String, Vec<u8>>,
    /// Runtime the function runs on, and the template's own where that is another one.
    pub(crate) runtime: RuntimeIdentifier,
    pub(crate) declared_runtime: Option<String>,
    pub(crate) event: Vec<u8>,
    pub(crate) seeds: Vec<Seed>,
    /// What the template has and is left out.
    pub(crate) skipped: Vec<String>,
}

/// An object put into a bucket before each run.
pub(crate) struct Seed {
    /// Logical id of the bucket.
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) content: Vec<u8>,
}

/// Reads and checks everything, and builds the code.
///
/// # Errors
/// Anything that cannot be tried, with what to do about it.
pub(crate) fn prepare(arguments: &TryArguments) -> Result<Subject, Failure> {
    let (template_file, folder) = locate(&arguments.path)?;
    let text = String::from_utf8(read(&template_file)?)
        .map_err(|_| Failure::unusable(format!("{} is not UTF-8 text", template_file.display())))?;
    let name = template_file.display();
    let in_template = |error: rolecall_template::TemplateError| Failure::unusable(format!("{name}: {error}"));
    let template = Template::parse(&text).map_err(in_template)?;
    let stack_name = stack_name(&folder);
    let pseudo = Pseudo {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        partition: "aws".to_owned(),
        stack_id: format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack_name}/{stack_name}"),
        stack_name,
        url_suffix: "amazonaws.com".to_owned(),
    };
    let plan = template
        .plan(&parameters(&arguments.parameters)?, &pseudo, &managed_policy_arn)
        .map_err(in_template)?;
    let skipped: Vec<String> = plan
        .unsupported()
        .iter()
        .map(|unsupported| format!("{name}: {unsupported}"))
        .collect();
    if !skipped.is_empty() && !arguments.skip_unsupported {
        return Err(Failure::unusable(format!(
            "{}\ngive --skip-unsupported to go on without",
            skipped.join("\n")
        )));
    }
    let functions = plan.functions().map_err(in_template)?;
    let function = choose(&functions, arguments.function.as_deref(), &template_file)?.clone();
    let (runtime, declared_runtime) = runtime(&function, arguments.runtime.as_deref())?;
    let interpreters = Interpreters::new();
    let interpreter = match runtime {
        RuntimeIdentifier::Python(minor) => Some(interpreters.python(minor).map_err(|error| {
            Failure::unusable(format!(
                "{error}; or run it on another one, such as --runtime {}",
                offer(&interpreters)
            ))
        })?),
        RuntimeIdentifier::ProvidedAl2 | RuntimeIdentifier::ProvidedAl2023 => None,
    };
    let mut code = BTreeMap::new();
    for summary in &functions {
        if let Some(source) = source(summary, &folder)? {
            code.insert(
                summary.logical_id.clone(),
                build::build(&source, python(interpreter.as_ref()))?,
            );
        }
    }
    Ok(Subject {
        event: read(&event_file(arguments.event.as_deref(), &folder)?)?,
        seeds: seeds(&folder)?,
        plan,
        function,
        code,
        runtime,
        declared_runtime,
        skipped,
    })
}

/// The template, and the folder its paths are relative to.
fn locate(path: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    if path.is_file() {
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        return Ok((path.to_owned(), folder.to_owned()));
    }
    if !path.is_dir() {
        return Err(Failure::unusable(format!(
            "{} does not exist; give a folder with a template.yaml",
            path.display()
        )));
    }
    ["template.yaml", "template.yml", "template.json"]
        .iter()
        .map(|name| path.join(name))
        .find(|file| file.is_file())
        .map(|file| (file, path.to_owned()))
        .ok_or_else(|| {
            Failure::unusable(format!(
                "{} has no template.yaml, template.yml or template.json",
                path.display()
            ))
        })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let size = fs::metadata(path)
        .context(format_args!("reading {}", path.display()))?
        .len();
    if size > LARGEST_FILE {
        return Err(Failure::unusable(format!(
            "{} is larger than 6 MB",
            path.display()
        )));
    }
    fs::read(path).context(format_args!("reading {}", path.display()))
}

/// A stack's name from the folder's: letters, digits and hyphens, beginning with a letter.
fn stack_name(folder: &Path) -> String {
    let name = folder
        .canonicalize()
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let cleaned: String = name
        .unwrap_or_default()
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .take(40)
        .collect();
    let cleaned = cleaned.trim_matches('-');
    if cleaned.starts_with(|first: char| first.is_ascii_alphabetic()) {
        cleaned.to_owned()
    } else {
        format!("stack-{cleaned}").trim_end_matches('-').to_owned()
    }
}

fn parameters(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    given
        .iter()
        .map(|text| {
            text.split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .ok_or_else(|| Failure::unusable(format!("--parameter {text} must have the form NAME=VALUE")))
        })
        .collect()
}

/// The ARN of an AWS managed policy, whatever its path.
fn managed_policy_arn(name: &str) -> Option<String> {
    rolecall_catalog::managed_policies()
        .iter()
        .find(|policy| policy.name() == name)
        .map(rolecall_catalog::ManagedPolicy::arn)
}

fn choose<'a>(
    functions: &'a [FunctionSummary],
    wanted: Option<&str>,
    template: &Path,
) -> Result<&'a FunctionSummary, Failure> {
    let names = || {
        functions
            .iter()
            .map(|function| function.logical_id.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (wanted, functions) {
        (_, []) => Err(Failure::unusable(format!(
            "{} declares no function that can be tried",
            template.display()
        ))),
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::unusable(format!(
            "{} declares several functions; choose one with --function: {}",
            template.display(),
            names()
        ))),
        (Some(wanted), _) => functions
            .iter()
            .find(|function| function.logical_id == wanted)
            .ok_or_else(|| {
                Failure::unusable(format!("there is no function {wanted}; there are: {}", names()))
            }),
    }
}

fn runtime(
    function: &FunctionSummary,
    wanted: Option<&str>,
) -> Result<(RuntimeIdentifier, Option<String>), Failure> {
    let declared = function.runtime.as_deref();
    let name = wanted.or(declared).ok_or_else(|| {
        Failure::unusable(format!(
            "{} has no Runtime; container images are not supported",
            function.logical_id
        ))
    })?;
    let runtime = name.parse().map_err(|error: rolecall_runtime::RuntimeError| {
        Failure::unusable(format!("{}: {error}", function.logical_id))
    })?;
    Ok((
        runtime,
        declared.filter(|declared| *declared != name).map(str::to_owned),
    ))
}

/// A runtime this machine has, for the message about one it has not.
fn offer(interpreters: &Interpreters) -> String {
    interpreters.all().last().map_or_else(
        || RuntimeIdentifier::ProvidedAl2023.to_string(),
        |interpreter| interpreter.runtime.to_string(),
    )
}

fn python(interpreter: Option<&Interpreter>) -> Option<&Path> {
    interpreter.map(|interpreter| interpreter.path.as_path())
}

fn source(function: &FunctionSummary, folder: &Path) -> Result<Option<Source>, Failure> {
    Ok(match &function.code {
        CodeSource::S3 => None,
        CodeSource::Inline(code) => {
            // The handler `index.handler` asks for the file index, as CloudFormation makes it of inline code.
            let module = function
                .handler
                .as_deref()
                .and_then(|handler| handler.rsplit_once('.'))
                .map_or("index", |(module, _)| module);
            Some(Source::Inline {
                file_name: format!("{module}.py"),
                code: code.clone(),
            })
        }
        CodeSource::LocalPath(path) => {
            let relative = Path::new(path);
            let stays = relative
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            if !stays {
                return Err(Failure::unusable(format!(
                    "line {}: the code path {path} leaves the template's folder; move the code into it",
                    function.line
                )));
            }
            Some(Source::Path(folder.join(relative)))
        }
    })
}

/// The event given, else `event.json`, else the only file in `events/`.
fn event_file(given: Option<&Path>, folder: &Path) -> Result<PathBuf, Failure> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let single = folder.join("event.json");
    if single.is_file() {
        return Ok(single);
    }
    let mut events: Vec<PathBuf> = fs::read_dir(folder.join("events"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    events.sort();
    match events.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::unusable(format!(
            "there is no event to invoke with: give --event FILE, or put an event.json into {}",
            folder.display()
        ))),
        several => Err(Failure::unusable(format!(
            "there are several events; choose one with --event: {}",
            several
                .iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ))),
    }
}

/// The objects under `seed/LOGICAL-ID/KEY`.
fn seeds(folder: &Path) -> Result<Vec<Seed>, Failure> {
    let root = folder.join("seed");
    let mut seeds = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry
                .context(format_args!("reading {}", folder.display()))?
                .path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(&root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            let Some((bucket, key)) = name.split_once('/') else {
                continue;
            };
            seeds.push(Seed {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                content: read(&path)?,
            });
        }
    }
    seeds.sort_by(|left, right| (&left.bucket, &left.key).cmp(&(&right.bucket, &right.key)));
    Ok(seeds)
}
