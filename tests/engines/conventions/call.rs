// call.rs - the calls that remote.py describes, for programs in Rust.
#![allow(dead_code)] // no program needs all of it
use std::io::{BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};

pub struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

pub enum Value {
    Nothing,
    Number(f64),
    Word(String),
    Array(Array),
}

impl Value {
    fn read(word: &str) -> Value {
        let parts: Vec<&str> = word.split(':').collect();
        match parts[0] {
            "n" => Value::Number(parts[1].parse().unwrap()),
            "s" => Value::Word(parts[1].to_string()),
            "a" => {
                let byte = |i| u8::from_str_radix(&parts[2][i..i + 2], 16).unwrap();
                let value = |i| f32::from_le_bytes([byte(i), byte(i + 2), byte(i + 4), byte(i + 6)]);
                let shape = parts[1].split(',').map(|n| n.parse().unwrap()).collect();
                Value::Array(Array { shape, data: (0..parts[2].len()).step_by(8).map(value).collect() })
            }
            _ => Value::Nothing,
        }
    }
    pub fn array(&self) -> &Array {
        if let Value::Array(a) = self { a } else { panic!("an array was expected") }
    }
    pub fn number(&self) -> Option<f64> {
        if let Value::Number(x) = self { Some(*x) } else { None }
    }
    pub fn count(&self) -> usize {
        self.number().expect("a number was expected") as usize
    }
    pub fn word(&self) -> &str {
        if let Value::Word(word) = self { word } else { "" }
    }
}

fn written(a: &Array) -> String {
    let shape: Vec<String> = a.shape.iter().map(|n| n.to_string()).collect();
    let digits: String = a.data.iter().flat_map(|x| x.to_le_bytes()).map(|b| format!("{:02x}", b)).collect();
    format!("a:{}:{}", shape.join(","), digits)
}

/// What the library lacks is an error that begins with "missing "; a panic is an answer too.
pub fn serve<E: ToString>(call: impl Fn(&str, &[Value]) -> Result<Vec<Array>, E>) {
    std::panic::set_hook(Box::new(|_| ()));
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.trim().split(' ').collect();
        let values: Vec<Value> = words[1..].iter().map(|w| Value::read(w)).collect();
        let answer = match catch_unwind(AssertUnwindSafe(|| call(words[0], &values))) {
            Ok(Ok(arrays)) => format!("ok {}", arrays.iter().map(written).collect::<Vec<_>>().join(" ")),
            Ok(Err(error)) => error.to_string().lines().next().unwrap_or("").to_string(), // a backtrace may follow
            Err(panic) => panic.downcast_ref::<String>().cloned()
                .or(panic.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or("it panics".to_string()),
        };
        let answer = answer.split_whitespace().collect::<Vec<_>>().join(" ");
        let known = answer.starts_with("ok ") || answer.starts_with("missing ");
        println!("{}{}", if known { "" } else { "error " }, answer);
        std::io::stdout().flush().unwrap();
    }
}
