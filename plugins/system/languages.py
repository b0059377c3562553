"""Languages of code samples in notes, as the highlighter of front ends names them."""

from __future__ import annotations

CODE_SAMPLE_LANGUAGES = (
    "markup:HTML/XML", "css:CSS", "javascript:JavaScript", "typescript:TypeScript", "json:JSON",
    "yaml:YAML", "toml:TOML", "ini:INI", "markdown:Markdown", "bash:Bash", "powershell:PowerShell",
    "batch:Batch", "python:Python", "java:Java", "kotlin:Kotlin", "scala:Scala", "groovy:Groovy", "c:C",
    "cpp:C++", "csharp:C#", "fsharp:F#", "vbnet:VB.NET", "go:Go", "rust:Rust", "swift:Swift",
    "objectivec:Objective-C", "ruby:Ruby", "php:PHP", "perl:Perl", "lua:Lua", "r:R", "julia:Julia",
    "matlab:MATLAB", "sql:SQL", "graphql:GraphQL", "haskell:Haskell", "ocaml:OCaml", "erlang:Erlang",
    "elixir:Elixir", "clojure:Clojure", "lisp:Lisp", "scheme:Scheme", "prolog:Prolog", "dart:Dart",
    "fortran:Fortran", "ada:Ada", "pascal:Pascal", "cobol:COBOL", "nasm:Assembly", "llvm:LLVM IR",
    "verilog:Verilog", "vhdl:VHDL", "latex:LaTeX", "diff:Diff", "git:Git", "docker:Dockerfile",
    "makefile:Makefile", "cmake:CMake", "nginx:nginx", "apacheconf:Apache", "http:HTTP",
    "regex:Regular expression", "protobuf:Protocol Buffers", "hcl:Terraform", "scss:SCSS", "less:Less",
    "sass:Sass", "jsx:JSX", "tsx:TSX", "vim:Vim script",
)  # fmt: skip
