import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { newTallyMemory, readTally, tallyIn } from '../targets/proxy/datapath/tally.ts';
import { startMetrics } from './metrics.ts';

function get(
  port: number,
  path: string,
  host: string,
  method = 'GET',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, method, headers: { host } },
      (response) => {
        let text = '';
        response.on('data', (bytes: Buffer) => (text += bytes.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

describe('metrics', () => {
  it('are the sums of what the workers have counted, in few series, for names of this machine', async (t) => {
    const memories = [newTallyMemory(), newTallyMemory()];
    for (const memory of memories) {
      const { counters, h2, durations } = tallyIn(memory);
      counters.requests += 3;
      counters.connectionsOpen = 2;
      h2.streamsOpened++;
      durations.add(0.002, 200);
    }
    const measured = {
      tallies: () => memories.map(readTally),
      restarts: 1,
      swapMs: 2,
      generation: 7,
    };
    const server = await startMetrics(0, measured);
    t.after(() => server.stop());
    const port = Number(new URL(server.url).port);
    const { status, text } = await get(port, '/metrics', `localhost:${port}`);
    assert.equal(status, 200);
    for (const line of [
      'fairway_requests_total 6',
      'fairway_connections_open 4',
      'fairway_http2_streams_opened_total 2',
      'fairway_responses_total{status="2xx"} 2',
      'fairway_request_duration_seconds_bucket{le="0.001"} 0',
      'fairway_request_duration_seconds_bucket{le="0.0025"} 2',
      'fairway_request_duration_seconds_bucket{le="+Inf"} 2',
      'fairway_request_duration_seconds_count 2',
      'fairway_workers 2',
      'fairway_worker_restarts_total 1',
      'fairway_program_generation 7',
      'fairway_program_swap_seconds 0.002',
      '# TYPE fairway_requests_total counter',
      '# TYPE fairway_request_duration_seconds histogram',
    ]) {
      assert.ok(text.split('\n').includes(line), line);
    }
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    assert.ok(series < 300, `${series} series`);
    assert.equal((await get(port, '/metrics', 'evil.example')).status, 403);
    assert.equal((await get(port, '/', `127.0.0.1:${port}`)).status, 404);
    assert.equal((await get(port, '/metrics', 'localhost', 'POST')).status, 405);
    await assert.rejects(startMetrics(port, measured), { code: 'FW_METRICS_UNAVAILABLE' });
  });
});
