import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test } from 'vitest';
import LoginPage from '@/pages/LoginPage';
import RegisterPage from '@/pages/RegisterPage';
import { sessionStore } from '@/utils/apiClient';
import { serve, show } from './render';

const session = (role: string) => ({
  user: {
    id: 'u',
    email: 'maya@example.com',
    firstName: 'Maya',
    lastName: 'O',
    phoneNumber: '+1',
    role,
    city: 'Toronto',
    createdAt: '',
    updatedAt: '',
  },
  token: 't',
  refreshToken: 'r',
  expiresIn: 60,
});

describe('signing in', () => {
  const fill = async () => {
    await userEvent.type(screen.getByLabelText('E-mail'), 'maya@example.com');
    await userEvent.type(screen.getByLabelText('Password'), 'secret-secret');
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  };

  test('keeps the session', async () => {
    const calls = serve(() => [200, session('customer')]);
    show(<LoginPage />);
    await fill();
    await waitFor(() => expect(sessionStore.read()?.token).toBe('t'));
    expect(calls).toEqual([
      { method: 'POST', path: '/auth/login', body: { email: 'maya@example.com', password: 'secret-secret' } },
    ]);
  });

  test('says one sentence for a wrong password, and keeps what was typed', async () => {
    serve(() => [401, { title: 'wrong', status: 401 }]);
    show(<LoginPage />);
    await fill();
    expect((await screen.findByRole('alert')).textContent).toContain('E-mail or password is wrong.');
    expect(screen.getByLabelText<HTMLInputElement>('E-mail').value).toBe('maya@example.com');
    expect(sessionStore.read()).toBeNull();
  });

  test('asks the server nothing while a field is empty, and goes to it', async () => {
    const calls = serve(() => [200, session('customer')]);
    show(<LoginPage />);
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
    const email = screen.getByLabelText('E-mail');
    expect(email.getAttribute('aria-invalid')).toBe('true');
    await waitFor(() => expect(document.activeElement).toBe(email));
    expect(calls).toEqual([]);
  });
});

describe('registering', () => {
  const cities = {
    cities: [{ name: 'Portland', state: 'ME', country: 'US', latitude: 43.66, longitude: -70.25, region: 'us-east' }],
  };
  const type = (label: string, text: string) => userEvent.type(screen.getByLabelText(label), text);

  async function fill(): Promise<void> {
    await userEvent.click(screen.getByLabelText('Deliver'));
    await type('First name', 'Maya');
    await type('Last name', 'Okafor');
    await type('E-mail', 'maya@example');
    await type('Phone number', '+14155550134');
    await type('Password', 'long enough');
    await userEvent.type(screen.getByRole('combobox', { name: 'City' }), 'Portl');
    await screen.findByRole('option', { name: /Portland/ });
    await userEvent.keyboard('{ArrowDown}{Enter}');
    await userEvent.click(screen.getByRole('button', { name: 'Create account' }));
  }

  test('sends the role and the city picked by keyboard, and puts the server’s words beside the field', async () => {
    const calls = serve((call) =>
      call.path === '/cities'
        ? [200, cities]
        : [422, { title: 'Invalid', status: 422, errors: [{ field: 'email', message: 'must be an e-mail address' }] }],
    );
    show(<RegisterPage />);
    await fill();
    const email = screen.getByLabelText('E-mail');
    await waitFor(() => expect(email.getAttribute('aria-invalid')).toBe('true'));
    const note = document.getElementById(email.getAttribute('aria-describedby') ?? '');
    expect(note?.textContent).toContain('must be an e-mail address');
    expect(calls.at(-1)).toMatchObject({
      path: '/auth/register',
      body: { role: 'delivery_partner', city: 'Portland, ME', email: 'maya@example' },
    });
  });

  test('says that the address is taken', async () => {
    serve((call) => (call.path === '/cities' ? [200, cities] : [409, { title: 'Conflict', status: 409 }]));
    show(<RegisterPage />);
    await fill();
    expect((await screen.findByText(/There is an account with this e-mail/)).closest('[role=alert]')).not.toBeNull();
  });
});
