// An OpenID Connect provider that is not ours, on a free port of loopback, for one client.
//   node provider.mjs CLIENT_ID CLIENT_SECRET REDIRECT_URI
// Says its issuer on standard output, and ends when standard input does. Everybody may log in under any name.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [client_id, client_secret, redirect_uri] = process.argv.slice(2);
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id, client_secret, redirect_uris: [redirect_uri] }],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'picture'] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, name: `The ${id}`, picture: `https://img.example/${id}.png` }),
    }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
process.stdin.on('end', () => process.exit()).resume();
