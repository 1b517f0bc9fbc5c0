// An issuer of the certified library `oidc-provider` on a free port of the loopback address, with one client and one person.
// Prints one line of JSON when it listens: {"issuer", "logout"}. POST /rotate puts a new signing key first and drops the old one.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

// standard output is read for one line only
console.info = console.error;
console.log = console.error;

const redirect = process.argv[2];
const logout = process.argv[3];

const key = (kid) => ({ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' });

const adapters = new Map();
// Kept over a change of keys: a plain store in memory shared by the providers before and after it.
class Store {
  constructor(name) { this.name = name; }
  key(id) { return `${this.name}:${id}`; }
  async upsert(id, payload) { adapters.set(this.key(id), payload); }
  async find(id) { return adapters.get(this.key(id)); }
  async findByUserCode(code) { return [...adapters.values()].find((one) => one.userCode === code); }
  async findByUid(uid) { return [...adapters.entries()].find(([name, one]) => name.startsWith('Session:') && one.uid === uid)?.[1]; }
  async consume(id) { const one = adapters.get(this.key(id)); if (one) one.consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { adapters.delete(this.key(id)); }
  async revokeByGrantId(id) { for (const [name, one] of adapters) if (one.grantId === id) adapters.delete(name); }
}

let verified = Math.floor(Date.now() / 1000);

const make = (issuer, keys) => {
  const provider = new Provider(issuer, {
    adapter: Store,
    clients: [{
      client_id: 'city', client_secret: 'secret-of-the-city-secret-of-the-city', redirect_uris: [redirect], response_types: ['code'],
      grant_types: ['authorization_code'], post_logout_redirect_uris: ['https://city.example/bye', 'https://city.example/'],
      backchannel_logout_uri: logout, backchannel_logout_session_required: true, require_auth_time: true,
    }],
    jwks: { keys },
    cookies: { keys: ['of the test'] },
    claims: { openid: ['sub', 'uid', 'x509type'], profile: ['name'] },
    conformIdTokenClaims: false,
    acrValues: ['level-1', 'level-2'],
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    // the library refuses addresses of the loopback, where the test's city listens
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: async (_, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, name: '王小明', uid: 'A123456789', x509type: 'MOICA' }),
    }),
  });
  provider.on('server_error', (_, error) => console.error(error));
  provider.on('backchannel.error', (_, error) => console.error(error));
  return provider;
};

let provider;
let issuer;
let keys = [key('one')];
const server = createServer(async (request, response) => {
  try {
    if (request.method === 'POST' && request.url === '/rotate') {
      keys = [key('two')];
      provider = make(issuer, keys);
      response.end();
      return;
    }
    if (request.url.startsWith('/interaction/')) {
      const { prompt, params, session } = await provider.interactionDetails(request, response);
      if (prompt.name === 'login') {
        verified = Math.floor(Date.now() / 1000);
        const acr = params.acr_values?.split(' ')[0] ?? 'level-2';
        await provider.interactionFinished(request, response, { login: { accountId: 'person-7', ts: verified, acr, amr: ['hwk'] } });
      } else {
        const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
        grant.addOIDCScope(params.scope);
        await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
      }
      return;
    }
    provider.callback()(request, response);
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    response.end();
  }
});
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  provider = make(issuer, keys);
  process.stdout.write(`${JSON.stringify({ issuer })}\n`);
});
// the test that started this process holds its standard input
process.stdin.on('end', () => process.exit(0)).resume();
