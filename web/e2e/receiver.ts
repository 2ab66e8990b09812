import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** One report that a receiver got. */
export interface Report {
  headers: IncomingHttpHeaders;
  body: string;
}

/** Takes reports, as a caller's own server would. */
export async function receive(): Promise<{ url: string; reports: Report[]; stop: () => Promise<void> }> {
  const reports: Report[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      reports.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/reports`,
    reports,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
