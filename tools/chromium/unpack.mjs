// Prints the path of the Chromium that the package unpacks on first use.
import chromium from "@sparticuz/chromium";

process.stdout.write(`${await chromium.executablePath()}\n`);
